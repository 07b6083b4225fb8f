"""One module per outside system; each turns its SDK's answers and errors into ours."""

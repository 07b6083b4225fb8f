"""Runbooks in Markdown, and the walk through them: a case with its steps, its record and its report."""

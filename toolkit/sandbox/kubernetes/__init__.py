"""The API of the sandbox's Kubernetes clusters, and the controllers that make Jobs and Deployments really happen."""

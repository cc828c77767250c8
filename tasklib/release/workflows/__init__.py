"""Workflow files for GitHub and Gitea, from templates that are workflows themselves."""

"""New projects and services from templates, and later templates in projects that were made before."""

"""What of a project a change touches: changed files, what each service is made from, which are selected."""

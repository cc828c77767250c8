"""The next version: survey the repository, plan, change the files, tag, push."""

"""From a repository as it is to a proposal: evidence is read, understood, rendered as a diff, and checked."""

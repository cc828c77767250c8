"""What a run leaves as files: JUnit XML, JSON, the HTML timeline."""

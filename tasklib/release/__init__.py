"""From a green branch to pushed images: what changed, versions and tags, images, CI workflows.

Nothing here prints or knows a front end: surveys and plans are values, what applies them is told where to
report.
"""

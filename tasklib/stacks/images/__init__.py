"""Which images have to be built, and when: what each is made from, and what changed."""

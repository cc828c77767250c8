"""Databases of MySQL and MariaDB, kept as they are for copies of them."""

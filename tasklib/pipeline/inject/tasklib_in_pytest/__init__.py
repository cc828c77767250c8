"""What is loaded into the pytest of a service, whatever its environment.

A package, since under ``python -m pytest`` the folder that it is started in comes before all others: a module
of the service's own must not take the place of one of these. One of this package's name is refused.
"""

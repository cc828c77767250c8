from tasklib.sessions import register

register()

import os
bind = "127.0.0.1:18435"
workers = int(os.environ["WEB_CONCURRENCY"])

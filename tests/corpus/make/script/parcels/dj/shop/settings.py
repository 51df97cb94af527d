import os
SECRET_KEY = "x"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "depot"]
DATABASES = {"default": {"ENGINE": os.environ.get("ENGINE", "django.db.backends.sqlite3"), "NAME": os.environ.get("DB", "parcels.db"), "HOST": "127.0.0.1", "PORT": "1", "USER": "shop", "PASSWORD": "pw"}}
ROOT_URLCONF = "shop.urls"
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_TZ = True

ROOT_URLCONF = "django_hello.urls"
SECRET_KEY = "nothing is secret here"
ALLOWED_HOSTS = ["*"]

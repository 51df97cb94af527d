from django.urls import path
from depot import views
urlpatterns = [path("x", views.indx)]

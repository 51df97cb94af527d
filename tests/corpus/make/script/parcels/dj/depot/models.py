from django.db import models
class Depot(models.Model):
    name = models.CharField()
    keeper = models.ForeignKey("people.Keeper", on_delete=models.CASCADE)

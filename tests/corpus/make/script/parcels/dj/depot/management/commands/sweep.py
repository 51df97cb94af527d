from django.core.management.base import BaseCommand, CommandError
class Command(BaseCommand):
    requires_system_checks = []
    def add_arguments(self, parser):
        parser.add_argument("--mode", default="ok")
    def handle(self, *args, mode, **kw):
        if mode == "error":
            raise CommandError("depot 17 has no keeper")
        if mode == "table":
            from depot.models import Depot
            self.stdout.write(str(Depot.objects.count()))  # «sweeptop11»
        from parcels import tariff
        tariff.fee_for({"zone": "Z", "grams": 10})

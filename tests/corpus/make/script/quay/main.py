import json, logging, os, sys
from quay import berth
how = os.environ.get("HOW", "plain")

def hook(fn):
    sys.excepthook = lambda kind, value, trace: fn((kind, value, trace))

if how == "logging":
    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(name)s - %(message)s")
    hook(lambda info: logging.getLogger("quay").critical("unhandled", exc_info=info))
if how == "pyjson":
    from pythonjsonlogger import jsonlogger
    h = logging.StreamHandler(); h.setFormatter(jsonlogger.JsonFormatter("%(asctime)s %(levelname)s %(name)s %(message)s")); logging.root.addHandler(h)
    hook(lambda info: logging.getLogger("quay").critical("unhandled", exc_info=info))
if how == "structlog":
    import structlog
    structlog.configure(processors=[structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso"), structlog.processors.format_exc_info, structlog.processors.JSONRenderer()])
    hook(lambda info: structlog.get_logger().critical("unhandled", exc_info=info))
if how == "structdict":
    import structlog
    structlog.configure(processors=[structlog.processors.add_log_level, structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer()])
    hook(lambda info: structlog.get_logger().critical("unhandled", exc_info=info))
if how == "structcons":
    import structlog
    hook(lambda info: structlog.get_logger().critical("unhandled", exc_info=info))
if how == "structplain":
    import structlog
    structlog.configure(processors=[structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso"), structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)])
    hook(lambda info: structlog.get_logger().critical("unhandled", exc_info=info))
if how == "loguru":
    from loguru import logger
    hook(lambda info: logger.opt(exception=info).critical("unhandled"))
if how == "logurujson":
    from loguru import logger
    logger.remove(); logger.add(sys.stderr, serialize=True)
    hook(lambda info: logger.opt(exception=info).critical("unhandled"))
if how == "logurunodiag":
    from loguru import logger
    logger.remove(); logger.add(sys.stderr, diagnose=False, backtrace=False, format="{time} | {level} | {name}:{function}:{line} - {message}")
    hook(lambda info: logger.opt(exception=info).critical("unhandled"))
if how == "rich":
    import rich.traceback; rich.traceback.install()
if how == "richlocals":
    import rich.traceback; rich.traceback.install(show_locals=True, width=120)
if how == "richlog":
    from rich.logging import RichHandler
    logging.basicConfig(handlers=[RichHandler(rich_tracebacks=True)])
    hook(lambda info: logging.getLogger("quay").critical("unhandled", exc_info=info))
if how == "better":
    import better_exceptions; better_exceptions.hook()
if how == "stackprinter":
    import stackprinter; stackprinter.set_excepthook(style="plaintext")
if how == "stdlibjson":
    class F(logging.Formatter):
        def format(self, r):
            return json.dumps({"ts": r.created, "level": r.levelname, "logger": r.name, "msg": r.getMessage(), "exc": self.formatException(r.exc_info) if r.exc_info else None})
    h = logging.StreamHandler(); h.setFormatter(F()); logging.root.addHandler(h)
    hook(lambda info: logging.getLogger("quay").critical("unhandled", exc_info=info))
if how == "traceback":
    import traceback
    hook(lambda info: print("FATAL: quay died:", "".join(traceback.format_exception(*info)), file=sys.stderr))
if how == "tblist":
    import traceback
    hook(lambda info: print(json.dumps({"level": "critical", "message": str(info[1]), "error": {"type": info[0].__name__, "stack": traceback.format_exception(*info)}}), file=sys.stderr))
if how == "logfmt":
    import traceback
    hook(lambda info: print(f'time=2026-11-25T04:26:39Z level=error msg="unhandled" err={json.dumps("".join(traceback.format_exception(*info)))}', file=sys.stderr))
if how == "syslog":
    logging.basicConfig(format="<11>Nov 25 04:26:39 quay-6d5f8 quay[1]: %(message)s")
    hook(lambda info: logging.getLogger("quay").critical("unhandled", exc_info=info))
if how == "cgitb":
    import cgitb; cgitb.enable(format="text", display=0, logdir=None)
if how == "ipython":
    pass
berth.fits({"berth": "Z9", "draught": 4})

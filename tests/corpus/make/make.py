#!/usr/bin/env python3
"""Crashes real programs and keeps their logs as cases of the corpus.

usage: make.py CASES.yaml [NAME…]

CASES.yaml has `programs` (name -> {path -> source}) and `cases`. A case runs one program in a scratch directory that
stands in the log as `/app`, and keeps stdout and stderr as they came, the exit code, and the expectation. In a source
`«name»` marks a line: it is taken out before the program is written, and `culprit: {mark: name}` of a case becomes the
file and the line of that mark. `build` holds commands that are run before. `shift: N` puts N lines of comment on top of every source, as a later build would.
A case whose tool is not installed is left as it is.
"""
import json, os, re, shutil, subprocess, sys, tempfile, glob
import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
CORPUS = os.path.dirname(HERE)
MARK = re.compile(r"\s*(?://|#|--)?\s*«([\w-]+)»")
PLACES = {"VENV": os.environ.get("CORPUS_VENV", "/opt/venv"), "NODE_MODULES": os.environ.get("CORPUS_NODE_MODULES", ""),
          **{name: os.environ.get(name, "") for name in ("COREDNS", "DOTNET_31", "ETCD", "JARS", "JRUBY", "KAFKA", "KEYCLOAK")}}


def tool(name):
    """Where an interpreter lies: `python3.6` is looked for beside pyenv's too."""
    found = shutil.which(name)
    version = re.fullmatch(r"python(\d\.\d+)", name)
    if version:
        beside = glob.glob(os.path.expanduser(f"~/.pyenv/versions/{version[1]}.*/bin/python"))
        found = beside[0] if beside else found
    return found


def sources(program):
    """The sources of a program: given in the file, or as `{folder: NAME}` beside it."""
    if "folder" not in program:
        return program
    folder = os.path.join(HERE, program["folder"])
    paths = [os.path.join(at, name) for at, _, names in os.walk(folder) for name in names]
    return {os.path.relpath(path, folder): open(path).read() for path in paths}


# How a line of comment begins, by the ends of the names of files.
COMMENTS = [
    ((".js", ".mjs", ".cjs", ".ts", ".rs", ".c", ".cc", ".cpp", ".h", ".d"), "//"),
    ((".lua", ".adb"), "--"),
    ((".erl",), "%%"),
]


def write(program, root, shift):
    """Writes the sources; answers where each mark is."""
    marks = {}
    for path, source in program.items():
        comment = next((mark for ends, mark in COMMENTS if path.endswith(ends)), "#")
        lines = source.split("\n")
        if shift and not path.endswith((".json", ".toml", ".yaml", ".ini")):
            at = 1 if lines[0].startswith("#!") else 0
            lines[at:at] = [f"{comment} release notes, line {n}" for n in range(shift)]
        for number, line in enumerate(lines, 1):
            for mark in MARK.findall(line):
                marks[mark] = (path, number)
        target = os.path.join(root, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w") as out:
            out.write(MARK.sub("", "\n".join(lines)))
        if path.endswith(".sh"):
            os.chmod(target, 0o755)
    return marks


def prefixed(text, how):
    """What collectors put before every line."""
    lines = text.split("\n")
    last = lines.pop() if text.endswith("\n") else None
    stamp = lambda n: f"2026-11-25T02:{n // 6000 % 60:02d}:{n // 100 % 60:02d}.{n % 100:02d}7172192Z"
    shapes = {
        "kubectl": lambda n, line: f"{stamp(n)} {line}",
        "pod": lambda n, line: f"[pod/shop-6d5f8c9b7-x2x4k/api] {line}",
        "cri": lambda n, line: f"{stamp(n)} stderr F {line}",
        "compose": lambda n, line: f"api-1  | {line}",
        "docker": lambda n, line: json.dumps({"log": line + "\n", "stream": "stderr", "time": stamp(n)}, separators=(",", ":")),
        "crlf": lambda n, line: line + "\r",
    }
    out = "\n".join(shapes[how](n, line) for n, line in enumerate(lines))
    return out + ("\n" + last if last is not None else "")


def woven(text, every):
    """Lines of another thread between those of the log, as they come when both write at once."""
    out = []
    for n, line in enumerate(text.split("\n")):
        out.append(line)
        if n % every == every - 1 and line:
            out.append(f"2026-11-25 02:11:{n % 60:02d},{n:03d} INFO [http-2] access: GET /healthz 200 {n % 9}ms")
    return "\n".join(out)


def run(case, program, root):
    command = [word.format(**PLACES) for word in case["run"]]
    for step in case.get("build", []):
        if subprocess.run(step, shell=True, cwd=root).returncode:
            return None
    local = os.path.join(root, command[0])
    found = local if command[0].startswith("./") else tool(command[0])
    if not found or not os.path.exists(found):
        return None
    environment = {"PATH": os.environ["PATH"], "HOME": root, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0"}
    environment.update({key: str(value).format(**PLACES) for key, value in case.get("env", {}).items()})
    limits = "; ".join(f"ulimit {limit}" for limit in case.get("ulimit", []))
    words = " ".join("'" + word.replace("'", "'\\''") + "'" for word in [found] + command[1:])
    script = (limits + "; " if limits else "") + "exec " + words
    with tempfile.TemporaryFile() as out:
        done = subprocess.run(["sh", "-c", script], cwd=os.path.join(root, case.get("cwd", "")), env=environment,
                              stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=120)
        out.seek(0)
        raw = out.read().decode(errors="replace")
    code = done.returncode if done.returncode >= 0 else 128 - done.returncode
    for place, shown in (("VENV", "/opt/venv"), ("NODE_MODULES", "/usr/src/node_modules"), ("ETCD", "/usr/local/bin/etcd"),
                         ("COREDNS", "/coredns"), ("JARS", "/app/lib"), ("JRUBY", "/opt/jruby.jar"), ("KAFKA", "/opt/kafka/libs"), ("KEYCLOAK", "/opt/keycloak")):
        if PLACES[place]:
            raw = raw.replace(PLACES[place], shown)
    raw = raw.replace("/private" + root, "/app").replace(root, "/app")
    # Where a library came from is of no matter.
    raw = re.sub(r"(/registry/src/)[a-z.]+-", r"\1index-", raw)
    return re.sub(r"/root/\.pyenv/versions/[\d.]+/", "/usr/local/", raw), code


def expectation(case, marks):
    expect = dict(case["expect"])
    culprit = expect.get("culprit")
    if culprit and "mark" in culprit:
        path, number = marks[culprit["mark"]]
        expect["culprit"] = {**({"function": culprit["function"]} if culprit.get("function") else {}),
                             "file": os.path.basename(path), "line": number}
    return expect


def make(case, programs):
    root = tempfile.mkdtemp(prefix="case-")
    try:
        program = sources(programs[case["program"]])
        marks = write(program, root, case.get("shift", 0))
        done = run(case, program, root)
        if done is None:
            return print(f"{case['name']}: left as it is, {case['run'][0]} cannot run here")
        text, code = done
        if "tail" in case:
            text = "\n".join(text.split("\n")[-case["tail"] - 1:])
        text = case.get("before", "") + text + case.get("after", "")
        if "weave" in case:
            text = woven(text, case["weave"])
        if "prefix" in case:
            text = prefixed(text, case["prefix"])
        code = case.get("exitCode", code)
        reason = {0: "Completed"}.get(code, "Error")
        folder = os.path.join(CORPUS, case["name"])
        os.makedirs(folder, exist_ok=True)
        spec = {"runtime": case.get("runtime"), "termination": {"exitCode": code, "signal": 0, "reason": reason},
                "expect": expectation(case, marks), "provenance": case["about"], "kind": case.get("kind", "plain"), "secrets": case.get("secrets")}
        spec = {key: value for key, value in spec.items() if value}
        with open(os.path.join(folder, "log.txt"), "w", newline="") as out:
            out.write(text)
        with open(os.path.join(folder, "case.yaml"), "w") as out:
            yaml.safe_dump(spec, out, sort_keys=False, allow_unicode=True, width=120)
        print(f"{case['name']}: exit {code}, {text.count(chr(10))} lines")
    finally:
        shutil.rmtree(root)


def main():
    book = yaml.safe_load(open(sys.argv[1]))
    wanted = set(sys.argv[2:])
    for case in book["cases"]:
        case = {**book.get("defaults", {}), **case}
        if not wanted or case["name"] in wanted:
            make(case, book["programs"])


if __name__ == "__main__":
    main()

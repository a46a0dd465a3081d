/**
 * Compiles and imports modules, in the folder it is started in. Arguments: a JSON file `[[module, path], …]`, and
 * where to write facts, one JSON object a line: `{begin}`, `{cause, file, line, module}`, at the end `{done, loaded}`.
 */
export const pythonScript = `
import importlib, json, os, sys, traceback

sys.dont_write_bytecode = True
todo, report = sys.argv[1:3]
root = os.path.realpath(os.getcwd())
sys.path[0] = root
out = open(report, "w", encoding="utf-8")

def tell(**fact):
    out.write(json.dumps(fact) + "\\n")
    out.flush()

def inside(path):
    path = os.path.realpath(path)
    return os.path.relpath(path, root) if path.startswith(root + os.sep) else None

def innermost(error):
    for _ in range(100):
        deeper = error.__cause__
        # After "except ImportError: import another" the second import is what failed.
        if deeper is None and not error.__suppress_context__ and not isinstance(error, (ImportError, NameError, SyntaxError)):
            deeper = error.__context__
        if deeper is None:
            return error
        error = deeper
    return error

def place(error):
    if isinstance(error, SyntaxError) and error.filename:
        return inside(error.filename) or error.filename, error.lineno or 0
    frames = [(inside(f.filename), f.lineno) for f in traceback.extract_tb(error.__traceback__)]
    own = [(file, line) for file, line in frames if file]
    return own[-1] if own else ("", 0)

def words(error):
    text = str(error.msg) if isinstance(error, SyntaxError) else str(error)
    return type(error).__name__ + (": " + text if text else "")

with open(todo, encoding="utf-8") as file:
    modules = json.load(file)
for name, path in modules:
    tell(begin=name)
    try:
        with open(path, "rb") as file:
            compile(file.read(), os.path.join(root, path), "exec", dont_inherit=True)
        importlib.import_module(name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        cause = innermost(error)
        file, line = place(cause)
        tell(module=name, cause=words(cause)[:500], file=file, line=line)

files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
tell(done=True, loaded=sorted({inside(path) for path in files if path and inside(path)}))
# Threads that a module has started would keep the process.
sys.stdout.flush()
os._exit(0)
`;

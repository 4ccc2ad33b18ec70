"""What a message costs is counted in what the interpreter does for it: compiled, there is little left to count."""

from amq.cli.version import compiled

collect_ignore_glob = ["test_*.py"] if compiled() else []

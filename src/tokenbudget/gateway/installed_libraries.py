"""Where the libraries stand that are installed beside this interpreter.

Processes of hooks are started with `-S`, which leaves that folder out of what can be imported: the
few that need a library name it again. Imports nothing that takes time.
"""

import sys


def reach_libraries() -> None:
    """From now on they can be imported; last, so that nothing there shadows what was before."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    folders = (
        __file__.rsplit("/", 3)[0],
        f"{sys.executable.rsplit('/', 2)[0]}/lib/{version}/site-packages",
    )
    sys.path.extend(folder for folder in folders if folder not in sys.path)

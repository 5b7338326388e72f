#!/usr/bin/env python3
"""An agent for if-coordinator: takes tasks, keeps their leases while it works, and ends each claim.

    pip install nats-py
    NATS_URL=nats://localhost:4222 python3 agent.py

Change `work`. It may block: it runs in its own thread, and the leases are renewed meanwhile. With
STOP_WHEN_IDLE=1 the agent ends when no task is ready. After SIGTERM or Ctrl-C it gives back its tasks
and ends.
"""
import asyncio
import json
import os
import random
import signal
import socket
import threading
import uuid

import nats
from nats.errors import NoRespondersError, TimeoutError

LEASE_SECONDS = 60
WAIT_SECONDS = 30
# During a short failure of NATS, a worker holds a request for less time. nats-py's default is 0.5 s.
REPLY_SECONDS = 15


def work(task, lost):
    """Does the task and returns its result. An exception is a failed attempt.

    `lost` is a threading.Event. When it is set, another session may have the task: stop soon.
    """
    return f'did "{task["title"]}"'


class Refused(Exception):
    """The coordinator refused a request, and a retry does not help."""

    def __init__(self, error):
        super().__init__(f'{error["code"]}: {error["message"]}')
        self.code = error["code"]


class Agent:
    def __init__(self, connection, session):
        self.connection = connection
        self.session = session
        # Different for each process: a process that starts under the same session id replaces this one.
        self.instance = uuid.uuid4().hex
        self.claims = {}
        self.stopping = asyncio.Event()
        self.reconnected = asyncio.Event()

    async def ask(self, subject, body, wait_seconds=0):
        """Retries until there is an answer. Every request of this agent is idempotent."""
        pause = 0.1
        while True:
            try:
                data = json.dumps({"instance": self.instance, **body}).encode()
                request = self.connection.request(subject, data, wait_seconds + REPLY_SECONDS)
                answer = json.loads((await self.unless_reconnected(request)).data)
                if answer["ok"]:
                    return answer
                if not answer["error"]["retryable"]:
                    raise Refused(answer["error"])
            except (NoRespondersError, TimeoutError):
                pass  # No worker, or no answer: the request may have been carried out.
            await asyncio.sleep(pause * random.uniform(0.5, 1))
            pause = min(2 * pause, 5)

    async def unless_reconnected(self, request):
        """The reply. A request that was sent before a reconnect may never be answered."""
        waiting = [asyncio.ensure_future(request), asyncio.ensure_future(self.reconnected.wait())]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if waiting[0].done():
                return waiting[0].result()
            raise TimeoutError
        finally:
            for one in waiting:
                one.cancel()

    async def on_reconnect(self):
        self.reconnected.set()
        self.reconnected = asyncio.Event()

    async def register(self):
        await self.ask(f"sessions.register.{self.session}", {"ttl_seconds": LEASE_SECONDS})

    async def renew(self):
        """Renews the session and the leases of its claims, every third of their length."""
        while True:
            await asyncio.sleep(LEASE_SECONDS / 3)
            claims = [{"task_id": id, "attempt": claim["attempt"]} for id, claim in self.claims.items()]
            beat = self.ask(f"sessions.heartbeat.{self.session}", {"claims": claims})
            try:
                # Without an answer by then, the leases have expired.
                answer = await asyncio.wait_for(beat, LEASE_SECONDS * 2 / 3)
                self.stop_work_on(answer["lost"] + answer["cancelled"])
            except asyncio.TimeoutError:
                self.stop_work_on([claim["task_id"] for claim in claims])
            except Refused as refused:
                if refused.code != "not_found":
                    raise
                await self.register()  # The session has expired. Its claims last as long as their leases.

    def stop_work_on(self, task_ids):
        for task_id in task_ids:
            if task_id in self.claims:
                self.claims[task_id]["lost"].set()

    async def next(self, wait_seconds):
        # With the same request_id, a retry gets the same claim.
        body = {
            "session_id": self.session,
            "request_id": uuid.uuid4().hex,
            "ttl_seconds": LEASE_SECONDS,
            "wait_seconds": wait_seconds,
        }
        return (await self.ask("tasks.next", body, wait_seconds))["claims"]

    async def handle(self, claim):
        task_id, attempt = claim["task"]["task_id"], claim["attempt"]
        lost = threading.Event()
        self.claims[task_id] = {"attempt": attempt, "lost": lost}
        try:
            result = await asyncio.to_thread(work, claim["task"], lost)
            end = {"status": "complete", "result": result}
        except Exception as error:
            end = {"status": "failed", "error": str(error)}
        if lost.is_set():
            end = {"status": "available"}  # Refused if another session has it, and right if it was cancelled.
        try:
            release = {"session_id": self.session, "attempt": attempt, **end}
            await self.ask(f"tasks.release.{task_id}", release)
            print(f'{task_id}: {end["status"]}', flush=True)
        except Refused as refused:
            print(f"{task_id}: {refused}", flush=True)
            if refused.code in ("invalid_request", "too_large"):
                # The result cannot be stored: another attempt would end in the same way.
                end = {"status": "failed", "error": str(refused), "retry": False}
                release = {"session_id": self.session, "attempt": attempt, **end}
                await self.ask(f"tasks.release.{task_id}", release)
        finally:
            del self.claims[task_id]

    async def take_tasks(self, stop_when_idle):
        while True:
            claims = await self.next(0 if stop_when_idle else WAIT_SECONDS)
            for claim in claims:
                await self.handle(claim)
            if stop_when_idle and not claims:
                return

    async def run(self, stop_when_idle):
        await self.register()
        running = [
            asyncio.create_task(self.take_tasks(stop_when_idle)),
            asyncio.create_task(self.renew()),
            asyncio.create_task(self.stopping.wait()),
        ]
        try:
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # Raises the exception that ended it.
        finally:
            for task in running:
                task.cancel()
            self.stop_work_on(list(self.claims))
            try:
                # Gives back the tasks that the session still holds.
                await asyncio.wait_for(self.ask(f"sessions.unregister.{self.session}", {}), REPLY_SECONDS)
            except (Refused, asyncio.TimeoutError):
                pass


async def main():
    servers = os.environ.get("NATS_URL", "nats://localhost:4222")
    unique = f"{socket.gethostname().split('.')[0]}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    connection = nats.NATS()
    agent = Agent(connection, os.environ.get("SESSION", unique))
    await connection.connect(servers, max_reconnect_attempts=-1, reconnected_cb=agent.on_reconnect)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, agent.stopping.set)
    try:
        await agent.run(os.environ.get("STOP_WHEN_IDLE") == "1")
    except Refused as refused:
        raise SystemExit(str(refused))  # Such as session_replaced: another process has this session id.
    finally:
        await connection.close()


if __name__ == "__main__":
    asyncio.run(main())

"""One load gate as a Locust test, written by readygate. Needs Locust 2.40 or later."""

import json
import os
import random
import signal
import time

import gevent
import locust
import locust.stats
from locust import FastHttpUser, constant, constant_throughput, events, task
from locust.rpc import Message
from locust.runners import MasterRunner, WorkerRunner

PLAN = json.loads("@PLAN@")
WEIGHTS = [request["weight"] for request in PLAN["requests"]]
# Failed requests have rows of their own, so that a quick error never makes latency look better.
FAILED = " [failed]"
# Where the files for readygate go; set for the processes that it starts itself.
OUT = os.environ.get("READYGATE_OUT")
HEADERS = {}
if PLAN["headers"]:
    if "READYGATE_HEADERS" not in os.environ:
        raise SystemExit("READYGATE_HEADERS is not set: the gate declares headers, as a JSON object: " + ", ".join(PLAN["headers"]))
    HEADERS = json.loads(os.environ["READYGATE_HEADERS"])

# Locust keeps two digits of a latency; a bound of 50 ms needs a third.
locust.stats.bucket_response_time = lambda ms: float("%.3g" % ms)


class Visitor(FastHttpUser):
    host = PLAN["requests"][0]["url"]
    connection_timeout = PLAN["timeout"]
    network_timeout = PLAN["timeout"]
    insecure = False
    if PLAN["per_user"] is not None:
        wait_time = constant_throughput(PLAN["per_user"])
    else:
        wait_time = constant(PLAN["think"])

    def on_start(self):
        # Without an offset all users of a worker send in the same instant, again and again.
        period = 1 / PLAN["per_user"] if PLAN["per_user"] is not None else PLAN["think"]
        gevent.sleep(random.random() * period)

    @task
    def visit(self):
        step = random.choices(PLAN["requests"], WEIGHTS)[0]
        headers = {**HEADERS, **step["headers"]}
        with self.client.request(
            step["method"],
            step["url"],
            name=step["name"],
            data=step["body"],
            headers=headers,
            catch_response=True,
            allow_redirects=False,
        ) as answer:
            status = answer.status_code
            expected = step["expect_status"]
            if status in expected if expected else 200 <= status < 400:
                answer.success()
                return
            meta = answer.request_meta
            if status == 0 and meta["response_time"] >= PLAN["timeout"] * 950:
                # A request that nobody answered in time stays among the latencies, as the slowest.
                answer.failure("timeout")
                return
            meta["name"] += FAILED
            if status == 0:
                error = getattr(answer, "error", None)
                answer.failure("no response: " + type(error).__name__)
            else:
                answer.failure("status %d" % status)


class Watch:
    """What the master sees, one line a second, and what became of each worker."""

    def __init__(self, environment):
        self.environment = environment
        self.runner = environment.runner
        self.out = open(os.path.join(OUT, "series.ndjson"), "w", buffering=1, encoding="utf-8")
        self.phase = "waiting"
        self.seen = {}
        self.lost = {}
        self.flushed = set()
        # By worker: time and CPU time at its last report, and what it took while measuring.
        self.clocks = {}
        self.cpu = {}
        self.began = None
        self.ended = None
        self.finished = False
        self.parent = os.getppid()

    def note_workers(self):
        for worker in list(self.runner.clients.values()):
            self.seen.setdefault(worker.id, time.time())
            if worker.state == "missing":
                self.lost.setdefault(worker.id, {"how": "missing", "at": time.time(), "back": False})
            elif worker.id in self.lost:
                self.lost[worker.id]["back"] = True
        if self.phase != "ending":
            for worker in self.seen:
                if worker not in self.runner.clients:
                    self.lost.setdefault(worker, {"how": "left", "at": time.time(), "back": False})

    def line(self):
        runner, total = self.runner, self.runner.stats.total
        rows = runner.stats.entries.values()
        good = [row for row in rows if not row.name.endswith(FAILED)]
        p95 = max((row.get_response_time_percentile(0.95) for row in good if row.num_requests), default=None)
        line = {
            "t": time.time(),
            "phase": self.phase,
            "state": runner.state,
            "users": runner.user_count,
            "workers": runner.worker_count,
            "lost": len(self.lost),
            "requests": total.num_requests,
            "failures": total.num_failures,
            "p95": p95,
        }
        self.out.write(json.dumps(line) + "\n")

    def report(self, client_id, data):
        clock = data.get("readygate_clock")
        before = self.clocks.get(client_id)
        self.clocks[client_id] = clock
        if self.began is None or not before or not clock or clock[0] <= before[0]:
            return
        span = clock[0] - before[0]
        share = 100 * (clock[1] - before[1]) / span
        cpu = self.cpu.setdefault(client_id, {"most": 0, "hot": 0, "span": 0})
        # The last report comes some milliseconds after the one before it.
        if span > 0.5:
            cpu["most"] = max(cpu["most"], share)
            cpu["hot"] += span if share > 90 else 0
            cpu["span"] += span

    def run(self):
        spawned = None
        while True:
            if os.getppid() != self.parent:
                os.kill(os.getpid(), signal.SIGKILL)
            self.note_workers()
            now = time.time()
            if self.phase == "waiting" and self.runner.state in ("spawning", "running"):
                self.phase = "ramp"
            if self.phase == "ramp" and self.runner.state == "running":
                spawned = now
                self.phase = "warm-up"
            if self.phase == "warm-up" and now >= spawned + PLAN["warmup"]:
                self.begin()
            self.line()
            if self.phase == "measure" and now >= self.began + PLAN["seconds"]:
                self.finish()
                return
            left = self.began + PLAN["seconds"] - now if self.began else 1
            gevent.sleep(max(0.01, min(1, left)))

    def begin(self):
        # Each worker hands over what it has, so that nothing of the warm-up comes later.
        workers = {worker.id for worker in self.runner.clients.values() if worker.state != "missing"}
        for worker in workers:
            self.runner.send_message("readygate_flush", None, worker)
        patience = time.time() + 5
        while not workers <= self.flushed and time.time() < patience:
            gevent.sleep(0.02)
        self.runner.stats.clear_all()
        self.runner.exceptions = {}
        self.began = time.time()
        self.phase = "measure"

    def finish(self):
        # Locust itself waits half a second for the last reports; workers that still have requests
        # open need longer.
        self.ended = time.time()
        self.note_workers()
        self.phase = "ending"
        self.line()
        self.runner.stop(send_stop_to_client=False)
        for worker in self.runner.clients.all:
            self.runner.server.send_to_client(Message("quit", None, worker.id))
        patience = time.time() + PLAN["timeout"] + 10
        while self.waiting() and time.time() < patience:
            gevent.sleep(0.05)
        for worker in self.waiting():
            self.lost.setdefault(worker, {"how": "silent", "at": time.time(), "back": False})
        self.finished = True
        self.runner.quit()

    def waiting(self):
        return [worker.id for worker in self.runner.clients.values() if worker.state != "missing"]

    def end(self):
        if not self.finished and self.phase != "ending":
            self.note_workers()
        errors = sorted(self.environment.stats.errors.values(), key=lambda error: -error.occurrences)
        end = {
            "version": locust.__version__,
            "finished": self.finished or self.phase == "ending",
            "began": self.began,
            "ended": self.ended,
            "seen": list(self.seen),
            "lost": self.lost,
            "cpu": self.cpu,
            "errors": [{"name": error.name, "error": str(error.error), "count": error.occurrences} for error in errors[:200]],
            "exceptions": [
                {"message": row["msg"], "count": row["count"], "workers": sorted(row["nodes"])}
                for row in list(self.runner.exceptions.values())[:50]
            ],
        }
        whole = os.path.join(OUT, "end.json")
        with open(whole + ".part", "w", encoding="utf-8") as file:
            json.dump(end, file)
        os.replace(whole + ".part", whole)


def stop_with_parent(parent):
    while True:
        gevent.sleep(1)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)


@events.init.add_listener
def start(environment, **_):
    runner = environment.runner
    if isinstance(runner, MasterRunner) and OUT:
        watch = Watch(environment)
        runner.register_message("readygate_flushed", lambda environment, msg, **_: watch.flushed.add(msg.node_id))
        events.worker_report.add_listener(lambda client_id, data, **_: watch.report(client_id, data))
        events.quitting.add_listener(lambda **_: watch.end())
        gevent.spawn(watch.run)
    if isinstance(runner, WorkerRunner):

        def clock(client_id, data, **_):
            data["readygate_clock"] = [time.monotonic(), time.process_time()]

        def flush(environment, msg, **_):
            runner._send_stats()
            runner.send_message("readygate_flushed")

        events.report_to_master.add_listener(clock)
        runner.register_message("readygate_flush", flush)
        name = os.environ.get("READYGATE_WORKER")
        if OUT and name:
            gevent.spawn(stop_with_parent, os.getppid())
            path = os.path.join(OUT, "worker-%s.json" % name)
            with open(path + ".part", "w", encoding="utf-8") as file:
                json.dump({"pid": os.getpid(), "id": runner.client_id}, file)
            os.replace(path + ".part", path)

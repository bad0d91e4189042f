"""For each fault family, the comparison that shows which of its variants it is."""

from __future__ import annotations

from collections.abc import Sequence

from aegis.engine import queries
from aegis.engine.quantities import clock_time, tidy
from aegis.engine.queries import fenced
from aegis.model.diagnosis import Diagnosis, RootCause
from aegis.model.evidence import Evidence, Signal
from aegis.model.text import Text


def comparison(diagnosis: Diagnosis, cause: RootCause, proofs: Sequence[Evidence]) -> Text:
    """What to compare for this family, given the evidence for the cause (strongest first)."""
    if _strongest(proofs, "restarts") and cause.family != "memory":
        return _why_pods_ended(cause.service)
    match cause.family:
        case "cpu":
            return _throttled_or_crowded(cause.service)
        case "memory":
            return _limit_or_leak(cause.service)
        case "disk":
            return _full_or_slow(cause.service)
        case "network":
            return _host_or_service(cause.service)
        case "config":
            return _settings_diff(diagnosis, cause)
        case "dependency":
            return _pool_or_callee(cause.service, proofs)
        case "code":
            return _traces_diff(diagnosis, cause, proofs)


def _throttled_or_crowded(service: str) -> Text:
    name, query = tidy(service), fenced(queries.cpu_throttling(service))
    return Text(
        f"区分 CPU 限流与宿主机争抢：比值明显大于零，说明 {name} 的 CPU 上限太低或计算量变大；"
        f"接近零，则看同节点的其他 Pod：{query}",
        f"Tell throttling from a crowded node: well above zero, {name} hits its own CPU limit; "
        f"near zero, look at the other pods on its node: {query}",
    )


def _limit_or_leak(service: str) -> Text:
    name, query = tidy(service), fenced(queries.memory_of_limit(service))
    ends = fenced(queries.last_terminations(service))
    return Text(
        f"逐个 Pod 比较 {name} 的内存与上限：持续爬升是泄漏，突增是负载或缓存：{query}；"
        f"再看上次退出原因是否为 OOMKilled：{ends}",
        f"Compare {name}'s memory with its limit, pod by pod: a steady climb is a leak, a jump is "
        f"load or a cache: {query}; then see whether pods ended as OOMKilled: {ends}",
    )


def _full_or_slow(service: str) -> Text:
    name, query = tidy(service), fenced(queries.disk_busy())
    return Text(
        f"比较 {name} 所在节点与其他节点的磁盘忙碌比例：仅该节点接近一，是设备或同节点的"
        f"其他写入者；都不高，则看 {name} 的卷是否已满或只读：{query}",
        f"Compare how busy the disks of {name}'s node and of the others are: near one only there "
        f"means the device or another writer on it; low everywhere, see whether {name}'s volume "
        f"is full or read-only: {query}",
    )


def _host_or_service(service: str) -> Text:
    name, query = tidy(service), fenced(queries.retransmits())
    return Text(
        f"比较 {name} 所在节点与其他节点的 TCP 重传率，并看同节点的邻居是否也慢：仅该节点高，"
        f"是节点或链路；都不高，则查 {name} 自己的网络策略、边车代理和域名解析：{query}",
        f"Compare TCP retransmits on {name}'s node with the other nodes, and its neighbours there: "
        f"high only there means node or link; high nowhere, look at {name}'s own network policy, "
        f"sidecar and name resolution: {query}",
    )


def _settings_diff(diagnosis: Diagnosis, cause: RootCause) -> Text:
    name, command = tidy(cause.service), queries.rollout_history(cause.service)
    when = Text("故障前后", "before and after the fault")
    if cause.onset_ns is not None:
        since = clock_time(cause.onset_ns, diagnosis.window)
        when = Text(f" UTC {since} 前后", f"before and after {since} UTC")
    zh_end, en_end = (f"：{fenced(command)}", f": {fenced(command)}") if command else ("", "")
    return Text(
        f"比较 {name} 在{when.zh}的配置：超时、连接池、下游地址、特性开关、密钥{zh_end}",
        f"Diff {name}'s configuration {when.en}: timeouts, pools, peer addresses, feature flags, "
        f"secrets{en_end}",
    )


def _pool_or_callee(service: str, proofs: Sequence[Evidence]) -> Text:
    name = tidy(service)
    callee = next((e.peer for e in proofs if e.peer and e.peer != service), None)
    peer = Text(f" {tidy(callee)} ", tidy(callee)) if callee else Text("下游", "the callee")
    pool = _strongest(proofs, "saturation")
    call = _strongest(proofs, "call_time")
    shown = pool or call
    query = queries.per_pod(shown) if shown else ""
    zh_end, en_end = (f"：{fenced(query)}", f": {fenced(query)}") if query else ("", "")
    return Text(
        f"比较 {name} 到{peer.zh}的连接池上限与活跃连接数：用满是池耗尽，未满但等待变长是"
        f"{peer.zh}自身变慢{zh_end}",
        f"Compare {name}'s pool size towards {peer.en} with the active connections: all in use is "
        f"an exhausted pool, free ones with long waits mean {peer.en} itself is slow{en_end}",
    )


def _why_pods_ended(service: str) -> Text:
    name, query = tidy(service), fenced(queries.last_terminations(service))
    return Text(
        f"看 {name} 的 Pod 因何退出（OOMKilled、Error 还是被驱逐），"
        f"再读退出前最后几行日志：{query}",
        f"See why {name}'s pods ended (OOMKilled, Error or evicted), then read the last lines each "
        f"wrote before: {query}",
    )


def _traces_diff(diagnosis: Diagnosis, cause: RootCause, proofs: Sequence[Evidence]) -> Text:
    name = tidy(cause.service)
    since = "" if cause.onset_ns is None else clock_time(cause.onset_ns, diagnosis.window)
    split = Text(f" UTC {since} ", f" {since} UTC") if since else Text("故障", " the fault")
    path = _strongest(proofs, "call_structure") or _strongest(proofs, "log_sequence")
    slow = _strongest(proofs, "self_time")
    traced = next((item for item in proofs if item.source == "traces"), None)
    search = fenced(queries.jaeger_search(traced)) if traced else ""
    zh_end, en_end = (f"：{search}", f": {search}") if search else ("", "")
    if path:
        return Text(
            f"取{split.zh}前后各一条 {name} 的调用链对比：找出请求从哪一步起走了别的分支{zh_end}",
            f"Compare one trace of {name} from before{split.en} with one from after: find the step "
            f"where the request takes another branch{en_end}",
        )
    if slow:
        # Of a cause in the dark the caller measures the time.
        name, operation = tidy(slow.service), tidy(slow.subject)
        return Text(
            f"比较 {name} 各 Pod 处理“{operation}”的耗时：都慢是代码或输入变化，"
            f"只有个别 Pod 慢是该 Pod 的问题；对慢的那个抓取性能剖析{zh_end}",
            f'Compare how long each pod of {name} takes for "{operation}": slow in all means code '
            f"or input, slow in one means that pod; take a profile of a slow one{en_end}",
        )
    return Text(
        f"比较 {name} 各 Pod、各版本的错误：集中在个别 Pod 或新版本，还是某一类请求{zh_end}",
        f"Compare {name}'s errors by pod, by version and by kind of request: one of them holds "
        f"most of the errors{en_end}",
    )


def _strongest(proofs: Sequence[Evidence], signal: Signal) -> Evidence | None:
    return next((item for item in proofs if item.signal == signal), None)

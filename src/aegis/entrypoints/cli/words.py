"""The fixed words of the terminal output."""

from __future__ import annotations

from aegis.model.diagnosis import Family
from aegis.model.text import Text

QUESTION = Text("问题", "Question")
WINDOW = Text("时间段", "Window")
BLIND_SPOTS = Text("没有看到的", "Not seen")
NO_BLIND_SPOTS = Text(
    "无：指标、调用链和日志都读到了。", "Nothing: metrics, traces and logs were all read."
)
IMPACT = Text("影响", "Impact")
CAUSES = Text("最可能的根因", "Most likely root causes")
NO_CAUSES = Text("没有发现足以指认的根因。", "No cause stands out enough to be named.")
NOTHING_ABNORMAL = Text("以上都不是", "none of these")
SINCE = Text("始于", "since")
AGAINST = Text("反证：", "against: ")
TIMELINE = Text("时间线", "Timeline")
RULED_OUT = Text("已排除", "Ruled out")
NEXT_ACTIONS = Text("下一步", "Next actions")
GO_ON = Text("接下来可以", "How to go on")
MORE = Text("另有 {count} 条，见 --json", "{count} more with --json")

FAMILIES: dict[Family, Text] = {
    "cpu": Text("CPU", "CPU"),
    "memory": Text("内存", "memory"),
    "disk": Text("磁盘", "disk"),
    "network": Text("网络", "network"),
    "code": Text("代码", "code"),
    "config": Text("配置", "configuration"),
    "dependency": Text("依赖", "dependency"),
}

DEMO_QUESTION = Text("结账为什么这么慢？", "Why is checkout slow?")
DEMO_NEXT = (
    Text("自己提问：", "Ask a question of your own:"),
    Text("查看录制的内容：", "See what was recorded:"),
    Text("得到可供程序读取的答案：", "Get the answer for a program:"),
    Text("用带标注的案例评测：", "Measure it on labelled cases:"),
)

RECORD_QUESTION = Text("哪里坏了？", "What is broken?")

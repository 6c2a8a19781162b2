"""Names that several slices know."""

from typing import Literal

# The channels that a route may name.
ChannelName = Literal["mailbox", "sms", "email", "wecom", "dingtalk", "feishu", "webhook"]

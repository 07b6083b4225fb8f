"""Which Redis commands only look: what the reading prompt lets through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_NAMES: Final = """
BITCOUNT BITFIELD_RO BITPOS DBSIZE DUMP ECHO EXISTS EXPIRETIME GEODIST GEOHASH GEOPOS GEORADIUS_RO
GEORADIUSBYMEMBER_RO GEOSEARCH GET GETBIT GETRANGE HEXISTS HGET HGETALL HKEYS HLEN HMGET HRANDFIELD HSCAN HSTRLEN
HVALS INFO LASTSAVE LCS LINDEX LLEN LOLWUT LPOS LRANGE MGET PEXPIRETIME PFCOUNT PING PTTL RANDOMKEY ROLE SCAN SCARD
SDIFF SINTER SINTERCARD SISMEMBER SMEMBERS SMISMEMBER SORT_RO SRANDMEMBER SSCAN STRLEN SUBSTR SUNION TIME TTL TYPE
XINFO XLEN XPENDING XRANGE XREVRANGE ZCARD ZCOUNT ZDIFF ZINTER ZINTERCARD ZLEXCOUNT ZMSCORE ZRANDMEMBER ZRANGE
ZRANGEBYLEX ZRANGEBYSCORE ZRANK ZREVRANGE ZREVRANGEBYLEX ZREVRANGEBYSCORE ZREVRANK ZSCAN ZSCORE ZUNION
"""
_READS: Final = frozenset(_NAMES.split())
_READING_PARTS: Final = {
    "ACL": frozenset({"CAT", "DRYRUN", "HELP", "WHOAMI"}),
    "CLIENT": frozenset({"GETNAME", "HELP", "ID", "INFO", "LIST"}),
    "CLUSTER": frozenset({"COUNTKEYSINSLOT", "HELP", "INFO", "KEYSLOT", "MYID", "NODES", "SHARDS", "SLOTS"}),
    "COMMAND": frozenset({"", "COUNT", "DOCS", "GETKEYS", "HELP", "INFO", "LIST"}),
    "CONFIG": frozenset({"GET", "HELP"}),
    "LATENCY": frozenset({"DOCTOR", "GRAPH", "HELP", "HISTOGRAM", "HISTORY", "LATEST"}),
    "MEMORY": frozenset({"DOCTOR", "HELP", "MALLOC-STATS", "STATS", "USAGE"}),
    "MODULE": frozenset({"HELP", "LIST"}),
    "OBJECT": frozenset({"ENCODING", "FREQ", "HELP", "IDLETIME", "REFCOUNT"}),
    "PUBSUB": frozenset({"CHANNELS", "HELP", "NUMPAT", "NUMSUB"}),
    "SLOWLOG": frozenset({"GET", "HELP", "LEN"}),
}


def only_reads(words: Sequence[str]) -> bool:
    """Whether the command changes nothing, neither data nor the server nor the connection, and answers at once.

    KEYS is not among them: it holds up a server with many keys; SCAN does not.
    """
    if not words:
        return False
    name = words[0].upper()
    if name in _READING_PARTS:
        return (words[1].upper() if len(words) > 1 else "") in _READING_PARTS[name]
    return name in _READS

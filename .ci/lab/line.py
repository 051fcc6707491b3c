#!/usr/bin/env python3
"""A bad line between two network namespaces, for kernels without netem.

    line.py CLIENT SERVER

A TUN device in each, 10.78.0.1 and 10.78.0.2; the packets between them are late, and some are lost,
come twice, or overtake others. The same seed does the same to the same packets.
"""
import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import sys
import time

DELAY, JITTER = 0.025, 0.005
LOST, DOUBLED, HURRIED = 0.02, 0.02, 0.05
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000


def end_of_line(name, namespace, address):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    for command in (
        f"ip link set {name} netns {namespace}",
        f"ip -n {namespace} addr add {address}/24 dev {name}",
        f"ip -n {namespace} link set {name} up",
    ):
        subprocess.run(command.split(), check=True)
    return fd


def packets(fd):
    while True:
        try:
            yield os.read(fd, 65536)
        except BlockingIOError:
            return


def main(client, server):
    here, there = end_of_line("lean2", client, "10.78.0.1"), end_of_line("lean3", server, "10.78.0.2")
    other = {here: there, there: here}
    last = {here: 0.0, there: 0.0}
    chance = random.Random(1)
    under_way, number = [], 0
    while True:
        wait = max(0, under_way[0][0] - time.monotonic()) if under_way else None
        for fd in select.select([here, there], [], [], wait)[0]:
            for packet in packets(fd):
                due = time.monotonic() + DELAY + chance.uniform(-JITTER, JITTER)
                if chance.random() < HURRIED:
                    due -= DELAY / 2
                else:
                    due = last[fd] = max(due, last[fd])  # jitter alone changes no order
                copies = 0 if chance.random() < LOST else 1 + (chance.random() < DOUBLED)
                for _ in range(copies):
                    number += 1
                    heapq.heappush(under_way, (due, number, other[fd], packet))
        while under_way and under_way[0][0] <= time.monotonic():
            _, _, fd, packet = heapq.heappop(under_way)
            try:
                os.write(fd, packet)
            except OSError:
                pass  # a full queue loses packets, too


main(*sys.argv[1:])

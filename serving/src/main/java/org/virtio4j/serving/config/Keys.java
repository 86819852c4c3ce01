// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.config;

import java.util.List;
import org.virtio4j.serving.watch.DoorbellNames;

/** The keys of a configuration; {@code docs/qemu.md} and {@code docs/virtio4j.schema.json} say what they mean. */
final class Keys {

    /** Of a machine; in the former format the second word between the brackets. */
    static final ConfigKey NAME = ConfigKey.text("name", "mail");
    static final ConfigKey FOLDER = ConfigKey.text("folder", "run");
    static final ConfigKey MEMORY = ConfigKey.number("memory", 1, 1 << 20);
    static final ConfigKey MEMORY_FILE = ConfigKey.text("memory-file", "ram");
    static final ConfigKey SEALED_MEMORY = ConfigKey.flag("sealed-memory");
    static final ConfigKey BOARD = ConfigKey.text("board", "virt");
    static final ConfigKey INTERRUPTS = ConfigKey.text("interrupts", "its");
    static final ConfigKey CPU = ConfigKey.text("cpu", "cortex-a76");
    static final ConfigKey PROCESSORS = ConfigKey.number("processors", 1, 512);
    static final ConfigKey QEMU = ConfigKey.text("qemu", "qemu-system-aarch64");
    static final ConfigKey TREE = ConfigKey.text("tree", "virt.dtb");

    static final ConfigKey ADDRESS = ConfigKey.text("address", "00:0a.0");
    static final ConfigKey RESERVED = ConfigKey.list(DoorbellNames.KEY, "[\"msi:x86\"]");
    static final ConfigKey POLL = ConfigKey.flag("poll");
    static final ConfigKey IDLE = ConfigKey.text("idle", "backoff");

    static final ConfigKey PAGE_SIZES = ConfigKey.list("page-sizes", "[\"4K\", \"2M\"]");
    static final ConfigKey INPUT_RANGE = ConfigKey.text("input-range", "0-7fffffffff");
    static final ConfigKey DOMAIN_RANGE = ConfigKey.text("domain-range", "0-65535");
    static final ConfigKey PROBE_SIZE = ConfigKey.number("probe-size", 0, 65_536);
    static final ConfigKey BYPASS = ConfigKey.flag("bypass");
    static final ConfigKey BYPASS_AFTER_RESET = ConfigKey.flag("bypass-after-reset");
    static final ConfigKey REQUEST_QUEUE = ConfigKey.number("request-queue", 1, 32_768);
    static final ConfigKey EVENT_QUEUE = ConfigKey.number("event-queue", 1, 32_768);
    static final ConfigKey MAX_MAPPINGS = ConfigKey.number("max-mappings", 1, 1 << 30);
    static final ConfigKey MAX_MAPPINGS_PER_DOMAIN = ConfigKey.number("max-mappings-per-domain", 1, 1 << 30);
    static final ConfigKey MAX_DOMAINS = ConfigKey.number("max-domains", 1, 65_536);
    static final ConfigKey LINGER = ConfigKey.number("linger", 0, 1_000_000);
    static final ConfigKey WITHOUT = ConfigKey.list("without", "[\"mmio\"]");

    /** Whether a device is behind the IOMMU. */
    static final ConfigKey TRANSLATED = ConfigKey.flag("iommu");

    /** Whether a device comes and goes, behind a root port. */
    static final ConfigKey HOT_PLUG = ConfigKey.flag("hot-plug");
    static final ConfigKey FILE = ConfigKey.text("file", "disk.img");
    static final ConfigKey READ_ONLY = ConfigKey.flag("read-only");
    static final ConfigKey QUEUES = ConfigKey.number("queues", 1, 1024);
    static final ConfigKey QUEUE_SIZE = ConfigKey.number("queue-size", 1, 32_768);
    static final ConfigKey BLOCK_SIZE = ConfigKey.number("block-size", 1, 65_536);
    static final ConfigKey ID = ConfigKey.text("id", "serial");
    static final ConfigKey LOCK = ConfigKey.text("lock", "auto");

    static final ConfigKey SOCKET = ConfigKey.text("socket", "console.sock");
    static final ConfigKey COLUMNS = ConfigKey.number("columns", 1, 65_535);
    static final ConfigKey ROWS = ConfigKey.number("rows", 1, 65_535);

    static final List<ConfigKey> OF_MACHINE = List.of(NAME, FOLDER, MEMORY, MEMORY_FILE, SEALED_MEMORY, BOARD,
            INTERRUPTS, CPU, PROCESSORS, QEMU, TREE);
    static final List<ConfigKey> OF_IOMMU = List.of(ADDRESS, RESERVED, PAGE_SIZES, INPUT_RANGE, DOMAIN_RANGE,
            PROBE_SIZE, BYPASS, BYPASS_AFTER_RESET, REQUEST_QUEUE, EVENT_QUEUE, MAX_MAPPINGS,
            MAX_MAPPINGS_PER_DOMAIN, MAX_DOMAINS, LINGER, WITHOUT, POLL, IDLE);
    static final List<ConfigKey> OF_DISK = List.of(ADDRESS, TRANSLATED, HOT_PLUG, RESERVED, FILE, READ_ONLY, QUEUES,
            QUEUE_SIZE, BLOCK_SIZE, ID, LOCK, POLL, IDLE);
    static final List<ConfigKey> OF_RNG = List.of(ADDRESS, TRANSLATED, HOT_PLUG, RESERVED, POLL, IDLE);

    static final List<ConfigKey> OF_CONSOLE = List.of(ADDRESS, TRANSLATED, HOT_PLUG, RESERVED, SOCKET, COLUMNS,
            ROWS);

    private Keys() {
    }
}

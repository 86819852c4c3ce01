// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.config;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/** Configurations of the former format that can be served: keys, their order, spaces and comments are random. */
final class RandomFormerFile {

    private static final List<String> MACHINE = List.of("memory = 1", "memory = 1048576", "memory-file = ram M",
            "sealed-memory = yes", "sealed-memory = no", "board = q35", "processors = 4", "cpu = max,sve=off",
            "board = virt\ninterrupts = gicv2m", "board = virt\nqemu = qemuM", "board = virt");
    private static final List<String> IOMMU = List.of("page-sizes = 4K", "page-sizes = 4K,2M", "page-sizes = 64K 4K 1G",
            "input-range = 0-7fffffffff", "input-range = 1000-ffffffffffffffff", "domain-range = 0-0",
            "domain-range = 5-4294967295", "probe-size = 48", "probe-size = 65536", "bypass = no",
            "bypass-after-reset = yes", "request-queue = 2", "request-queue = 32768", "event-queue = 1",
            "max-mappings = 512", "max-mappings = 1073741824", "linger = 0", "linger = 1000000", "reserved = none",
            "reserved = msi:its", "without = mmio", "without = bypass-config, input-range", "poll = yes", "poll = no");
    private static final List<String> DEVICE = List.of("iommu = yes", "reserved = none", "reserved = msi:x86",
            "reserved = msi:fee00000-feefffff reserved:0-fff", "poll = yes\nidle = spin", "poll = yes\nidle=backoff",
            "poll = no", "poll = yes\nidle = yield", "poll=yes\nidle = sleep");
    private static final List<String> DISK = List.of("read-only = yes", "queues = 1", "queues = 7", "queue-size = 4",
            "queue-size = 1024", "block-size = 512", "block-size = 4096", "id = a  b\tc", "id = \"quoted\"",
            "id = back\\slash", "id = #[[x]]", "id = ' = '", "lock = auto", "lock = on", "lock = off");
    private static final List<String> BETWEEN = List.of("", "\t", "# comment", "  # [disk] \"\\", "#",
            "# a = b \u00fc");

    private final Random random;
    private final StringBuilder text = new StringBuilder();

    private RandomFormerFile(Random random) {
        this.random = random;
    }

    static String text(Random random) {
        RandomFormerFile file = new RandomFormerFile(random);
        int machines = 1 + random.nextInt(2);
        for (int i = 0; i < machines; i++) {
            file.machine(i);
        }
        return random.nextBoolean() ? file.text.toString() : file.text.toString().replace("\n", "\r\n");
    }

    private void machine(int number) {
        List<String> keys = some(MACHINE);
        keys.replaceAll(key -> key.replace("M", Integer.toString(number)));
        keys.add(random.nextBoolean() ? "folder = run" + number : "folder = \"run\" " + number);
        section(number == 0 && random.nextBoolean() ? "machine" : "machine vm-" + number, keys);
        List<Runnable> parts = new ArrayList<>();
        parts.add(() -> part("iommu", 8, some(IOMMU)));
        parts.add(() -> part("rng", 9, some(DEVICE)));
        if (random.nextBoolean()) {
            parts.add(() -> disk(number));
        }
        if (random.nextBoolean()) {
            String name = random.nextBoolean() ? "" : " second";
            parts.add(() -> part("rng" + name, 11, new ArrayList<>(List.of("iommu = no"))));
        }
        Collections.shuffle(parts, random);
        parts.forEach(Runnable::run);
    }

    private void disk(int number) {
        List<String> keys = some(DEVICE);
        keys.addAll(some(DISK));
        keys.add("file = " + (number == 0 ? "disk.img" : "disk2.img"));
        part("disk", 10, keys);
    }

    private void part(String header, int device, List<String> keys) {
        keys.add("address = 00:" + (random.nextBoolean() ? "0" : "") + Integer.toHexString(device) + ".0");
        section(header, keys);
    }

    /** Each key once at most. */
    private List<String> some(List<String> all) {
        List<String> shuffled = new ArrayList<>(all);
        Collections.shuffle(shuffled, random);
        List<String> some = new ArrayList<>();
        for (String line : shuffled) {
            String key = line.split("[ =]", 2)[0];
            if (random.nextInt(3) == 0 && some.stream().noneMatch(taken -> taken.split("[ =]", 2)[0].equals(key))) {
                some.add(line);
            }
        }
        return some;
    }

    private void section(String header, List<String> keys) {
        Collections.shuffle(keys, random);
        line(random.nextBoolean() ? "[" + header + "]" : "[ " + header + "\t]");
        keys.forEach(this::line);
    }

    private void line(String line) {
        while (random.nextInt(4) == 0) {
            text.append(BETWEEN.get(random.nextInt(BETWEEN.size()))).append('\n');
        }
        text.append(random.nextBoolean() ? "" : "  ").append(line).append(random.nextBoolean() ? "" : " ").append('\n');
    }
}

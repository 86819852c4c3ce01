// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.suite;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.virtio4j.benchmarks.fixture.SpaceKind;
import org.virtio4j.benchmarks.fixture.TransportKind;
import org.virtio4j.benchmarks.host.Caches;
import org.virtio4j.benchmarks.host.Quantity;
import org.virtio4j.benchmarks.jmh.CacheBenchmark;
import org.virtio4j.benchmarks.jmh.DiskBenchmark;
import org.virtio4j.benchmarks.jmh.DmaBenchmark;
import org.virtio4j.benchmarks.jmh.DoorbellBenchmark;
import org.virtio4j.benchmarks.jmh.MappingTableBenchmark;
import org.virtio4j.benchmarks.jmh.OwnDeviceBenchmark;
import org.virtio4j.benchmarks.jmh.ReaderBesideWriterBenchmark;
import org.virtio4j.benchmarks.jmh.RequestBenchmark;
import org.virtio4j.benchmarks.jmh.RingBenchmark;
import org.virtio4j.benchmarks.jmh.SectionBenchmark;
import org.virtio4j.benchmarks.jmh.TranslateBenchmark;
import org.virtio4j.vmm.GuestMemory;

/**
 * What is measured: every row, in the order in which the rows are run, so that what a row is compared with comes before
 * it. Sizes follow the caches of the machine, and its memory limits the largest.
 */
public final class Suite {

    /** Off-heap bytes that a mapping takes when they are made in shuffled order. */
    static final long BYTES_PER_MAPPING = 38;

    private static final int SMALL = 1 << 10;
    private static final int MEDIUM = 1 << 16;
    private static final int LARGE = 1 << 20;
    private static final int MOST_MAPPINGS = 1 << 26;
    private static final int BATCH = 64;
    private static final int[] BATCHES = {1, 16, BATCH, 256};
    private static final int[] TRANSFERS = {64, 4096, 65_536};

    private final Caches caches;
    private final long memory;
    private final List<BenchmarkRow> rows = new ArrayList<>();
    private final List<String> leftOut = new ArrayList<>();
    private final Map<TransportKind, BenchmarkRow> oneMap = new HashMap<>();

    private Suite(Caches caches, long memory) {
        this.caches = caches;
        this.memory = memory;
    }

    /**
     * Lists the rows for a machine.
     *
     * @param caches its caches
     * @param memory bytes of RAM that may be used
     */
    public static Suite of(Caches caches, long memory) {
        Suite suite = new Suite(caches, memory);
        suite.table();
        suite.requests();
        suite.doorbells();
        suite.translations();
        suite.besideAWriter();
        suite.sections();
        suite.transfers();
        suite.rings();
        suite.disks();
        suite.ownDevices();
        return suite;
    }

    public List<BenchmarkRow> rows() {
        return rows;
    }

    /** What this machine is too small for. */
    public List<String> leftOut() {
        return leftOut;
    }

    private void table() {
        List<Integer> sizes = new ArrayList<>(List.of(SMALL, MEDIUM, LARGE));
        int beyond = beyondLastLevel();
        if (beyond > LARGE) {
            sizes.add(beyond);
        }
        for (String method : List.of("lookup", "insert", "remove")) {
            for (int mappings : sizes) {
                BenchmarkRow row = BenchmarkRow.of("table: " + method, mappings(mappings), MappingTableBenchmark.class,
                        method, Map.of("mappings", Integer.toString(mappings)));
                rows.add(mappings > LARGE ? row.onlyInFull() : row);
            }
        }
    }

    /** Mappings whose table is at least twice as large as the last-level cache; 0 if there is no memory for it. */
    private int beyondLastLevel() {
        int mappings = LARGE;
        while (mappings < MOST_MAPPINGS && mappings * BYTES_PER_MAPPING < 2 * caches.lastLevel()) {
            mappings *= 2;
        }
        if (mappings * BYTES_PER_MAPPING < 2 * caches.lastLevel() || 2L * mappings * BYTES_PER_MAPPING > memory) {
            leftOut.add("a table beyond the last-level cache");
            return 0;
        }
        return mappings;
    }

    private void requests() {
        for (TransportKind transport : TransportKind.values()) {
            BenchmarkRow map = request("MAP", transport, 1, false, SMALL);
            oneMap.put(transport, map);
            rows.add(map);
            rows.add(request("MAP", transport, BATCH, false, SMALL).against(map));
            BenchmarkRow unmap = request("UNMAP", transport, 1, false, SMALL);
            rows.add(unmap.onlyInFull());
            rows.add(request("UNMAP", transport, BATCH, false, SMALL).against(unmap));
        }
        moreRequests(oneMap.get(TransportKind.MMIO));
        rows.add(request("MAP", TransportKind.MMIO, BATCH, false, LARGE).onlyInFull());
        rows.add(request("UNMAP", TransportKind.MMIO, BATCH, false, LARGE).onlyInFull());
    }

    /** Every kind in every batch, direct and indirect, without the rows that there are already. */
    private void moreRequests(@Nullable BenchmarkRow baseline) {
        List<String> known = rows.stream().map(BenchmarkRow::title).toList();
        for (boolean indirect : new boolean[] {false, true}) {
            for (String kind : List.of("MAP", "UNMAP", "mixed")) {
                for (int batch : BATCHES) {
                    BenchmarkRow row = request(kind, TransportKind.MMIO, batch, indirect, SMALL).against(baseline);
                    if (!known.contains(row.title())) {
                        rows.add(row.onlyInFull());
                    }
                }
            }
        }
    }

    private BenchmarkRow request(String kind, TransportKind transport, int batch, boolean indirect, int mappings) {
        String ring = indirect ? ", ring of 256, indirect, " : ", ring of 512, ";
        return BenchmarkRow.of(kind + ", " + (batch == 1 ? "one" : Integer.toString(batch)) + " a doorbell",
                lower(transport) + ring + mappings(mappings), RequestBenchmark.class, kind.toLowerCase(Locale.ROOT),
                Map.of("transport", transport.name(), "mappings", Integer.toString(mappings),
                        "batch", Integer.toString(batch), "indirect", Boolean.toString(indirect))).withMoreWarmUp();
    }

    private void besideAWriter() {
        for (int mappings : List.of(SMALL, MEDIUM, LARGE)) {
            BenchmarkRow other = besideAWriter("another table", ReaderBesideWriterBenchmark.Writer.OTHER, mappings);
            rows.add(other.onlyInFull());
            rows.add(besideAWriter("this table", ReaderBesideWriterBenchmark.Writer.SAME, mappings).against(other)
                    .onlyInFull());
        }
    }

    private BenchmarkRow besideAWriter(String where, ReaderBesideWriterBenchmark.Writer writer, int mappings) {
        return BenchmarkRow.of("translate beside a writer of " + where, mappings(mappings),
                ReaderBesideWriterBenchmark.class,
                "translate", Map.of("mappings", Integer.toString(mappings), "writer", writer.name())).withMoreWarmUp();
    }

    private void doorbells() {
        rows.add(BenchmarkRow.of("kick without a transport", "device does nothing", DoorbellBenchmark.class, "direct",
                Map.of()));
        for (TransportKind transport : TransportKind.values()) {
            rows.add(BenchmarkRow.of("doorbell decode", lower(transport) + ", device does nothing",
                    DoorbellBenchmark.class,
                    "decode", Map.of("transport", transport.name())).against(oneMap.get(transport)));
        }
    }

    private void translations() {
        BenchmarkRow cached = translation("translate, cached in section", "cached", SMALL);
        rows.add(cached);
        for (int mappings : List.of(SMALL, MEDIUM, LARGE)) {
            BenchmarkRow row = translation("translate, found in table", "table", mappings).against(cached);
            rows.add(mappings == MEDIUM ? row : row.onlyInFull());
        }
        remembered(64);
        remembered(SMALL);
        rows.add(translation("translate, fault, section and report", "fault", SMALL).withMoreWarmUp());
    }

    private void remembered(int extents) {
        for (boolean waits : new boolean[] {false, true}) {
            Map<String, String> params =
                    Map.of("extents", Integer.toString(extents), "waits", Boolean.toString(waits));
            String geometry = Quantity.count(extents) + " mappings in use"
                    + (waits ? ", each waits for the one before" : "");
            BenchmarkRow array = BenchmarkRow.of("translate, an array read instead", geometry, CacheBenchmark.class,
                    "arrayRead", params);
            rows.add(array);
            rows.add(BenchmarkRow.of("translate, cached in handle", geometry, CacheBenchmark.class, "hit", params)
                    .against(array));
        }
    }

    private BenchmarkRow translation(String name, String method, int mappings) {
        return BenchmarkRow.of(name, mappings(mappings), TranslateBenchmark.class, method,
                Map.of("mappings", Integer.toString(mappings)));
    }

    private void sections() {
        @Nullable BenchmarkRow identity = null;
        for (SpaceKind space : SpaceKind.values()) {
            BenchmarkRow row = BenchmarkRow.of("section, enter and leave", lower(space), SectionBenchmark.class,
                    "enterLeave", Map.of("space", space.name())).against(identity);
            rows.add(row);
            identity = row;
        }
    }

    private void transfers() {
        transfers(caches.insideLevel2());
        transfers(caches.insideLastLevel());
        if (2 * caches.beyond() > memory) {
            leftOut.add("DMA beyond the last-level cache");
        } else {
            transfers(caches.beyond());
        }
    }

    private void transfers(long workingSet) {
        for (String method : List.of("read", "write")) {
            boolean quick = method.equals("read") && workingSet == caches.insideLevel2();
            for (int transfer : TRANSFERS) {
                BenchmarkRow identity = transfer(method, SpaceKind.IDENTITY, transfer, workingSet);
                BenchmarkRow endpoint = transfer(method, SpaceKind.ENDPOINT, transfer, workingSet).against(identity);
                rows.add(quick ? identity : identity.onlyInFull());
                rows.add(quick ? endpoint : endpoint.onlyInFull());
            }
        }
    }

    private BenchmarkRow transfer(String method, SpaceKind space, int transfer, long workingSet) {
        long buffers = workingSet / Math.max(transfer, GuestMemory.PAGE_SIZE);
        String geometry = lower(space) + ", " + Quantity.bytes(workingSet) + " " + caches.place(workingSet)
                + (space == SpaceKind.ENDPOINT ? ", " + Quantity.count(buffers) + " mappings" : "");
        return BenchmarkRow.of("DMA " + method + ", " + Quantity.bytes(transfer), geometry, DmaBenchmark.class, method,
                Map.of("space", space.name(), "transfer", Integer.toString(transfer), "workingSet",
                        Long.toString(workingSet)));
    }

    private void rings() {
        ring("ring: a chain, in batches of 16", "ring of 256, 1 descriptor", "small");
        ring("ring: a chain, in batches of 128", "ring of 256, 1 descriptor", "large");
        ring("ring: a chain, alone", "ring of 256, 128 descriptors", "longChain");
        ring("ring: a chain, alone", "ring of 256, indirect table of 128", "indirect");
    }

    private void disks() {
        String geometry = "pci, ring of 256, page cache";
        BenchmarkRow one = disk("disk: read of 4 KiB, one a doorbell", geometry, "readOne", false);
        rows.add(one);
        rows.add(disk("disk: read of 4 KiB, 64 a doorbell", geometry, "readBatch", false).against(one));
        rows.add(disk("disk: read of 4 KiB, one a poll", geometry, "readOne", true).against(one));
        rows.add(disk("disk: a doorbell for nothing", geometry, "find", false));
        rows.add(disk("disk: a poll that finds nothing", geometry, "find", true));
    }

    private BenchmarkRow disk(String name, String geometry, String method, boolean polled) {
        return BenchmarkRow.of(name, geometry, DiskBenchmark.class, method, Map.of("polled", Boolean.toString(polled)))
                .withMoreWarmUp().onlyInFull();
    }

    private void ownDevices() {
        BenchmarkRow one = own("own device: echo of 64 bytes, one a doorbell", "echoOne", false);
        rows.add(one);
        rows.add(own("own device: echo of 64 bytes, 64 a doorbell", "echoBatch", false).against(one)
                .onlyInFull());
        rows.add(own("own device: the same, answered later", "echoBatch", true).against(one).onlyInFull());
    }

    private static BenchmarkRow own(String name, String method, boolean later) {
        return BenchmarkRow.of(name, "pci, ring of 256", OwnDeviceBenchmark.class, method,
                Map.of("later", Boolean.toString(later))).withMoreWarmUp();
    }

    private void ring(String name, String geometry, String method) {
        rows.add(BenchmarkRow.of(name, geometry, RingBenchmark.class, method, Map.of()));
    }

    private String mappings(int mappings) {
        long bytes = mappings * BYTES_PER_MAPPING;
        return Quantity.count(mappings) + " mappings, " + caches.place(bytes);
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}

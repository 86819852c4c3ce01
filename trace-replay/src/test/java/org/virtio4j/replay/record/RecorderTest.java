// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.replay.record;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.virtio4j.command.CommandFailure;
import org.virtio4j.replay.Replay;
import org.virtio4j.replay.input.ReplayTransport;
import org.virtio4j.replay.input.TraceFile;
import org.virtio4j.replay.result.TraceResult;
import org.virtio4j.trace.EventKind;

/** What a driver did is recorded, and what was recorded is replayed: the device that answers must be the same. */
class RecorderTest {

    private static final int FEW_STEPS = 2_000;

    @TempDir
    private Path folder;
    private Path trace;

    @BeforeEach
    void nameTrace() {
        trace = folder.resolve("some.trace");
    }

    @Test
    void shouldRecordEachKindOfRequest() throws Exception {
        try (Recorder recorder = Recorder.to(trace); RecordedMachine machine = new RecordedMachine(recorder)) {
            machine.start();
            machine.driver().probe(0, RecordedMachine.DISK);
            machine.driver().attach(0, 1, RecordedMachine.DISK, 0);
            machine.driver().map(0, 1, 0x1000, 0x2fff, 0x8000, 3);
            machine.driver().map(0, 1, 0x3000, 0x3fff, 0x9000, 1);
            machine.driver().unmap(0, 1, 0x1000, 0x2fff);
            machine.driver().sync();
            machine.hostile().raw(0, new byte[] {7, 0, 0, 0}, 4, 4);
            machine.driver().sync();
            machine.dma(RecordedMachine.DISK, 0x5000);
            machine.driver().detach(0, 1, RecordedMachine.DISK);
            machine.driver().sync();
            machine.systemReset();
            recorder.finish();
        }
        List<String> lines = Files.readAllLines(trace);
        assertTrue(lines.getFirst().startsWith("virtio4j-trace 2 iommus=1 iommu=0 page_size_mask=1000 "
                + "input_range=1000-ffffffff domain_range=0-15 probe_size=512 bypass=1 features="), lines.getFirst());
        assertTrue(lines.getFirst().endsWith(" queues=64,16 endpoint=8:msi:fee00000-feefffff endpoint=9"),
                lines.getFirst());
        assertEquals(List.of("S 1", "S 3", "S 11", "S 15"), lines.subList(1, 5));
        List<String> events = lines.stream().skip(5).filter(line -> !line.equals("K")).toList();
        assertEquals(List.of("P 8 0", "A 1 8 0 0 0", "M 1 1000 2fff 8000 3 0", "M 1 3000 3fff 9000 1 0",
                "U 1 1000 2fff 0 1", "R 07000000 4 0 -", "T 8 5000 1 f", "F 2 257 8 5000", "D 1 8 0 1", "Z"), events);
        assertReplays(trace);
    }

    @RepeatedTest(4)
    void shouldReplayWhateverADriverDid() throws Exception {
        long seed = Long.getLong("virtio4j.seed", System.nanoTime());
        System.out.println("RecorderTest -Dvirtio4j.seed=" + seed);
        Path compressed = folder.resolve("random.trace.gz");
        try (Recorder recorder = Recorder.to(compressed); RecordedMachine machine = new RecordedMachine(recorder)) {
            machine.doAnything(seed, FEW_STEPS);
            recorder.finish();
        }
        TraceResult result = assertReplays(compressed);
        for (EventKind kind : List.of(EventKind.ATTACH, EventKind.DETACH, EventKind.MAP, EventKind.UNMAP,
                EventKind.PROBE, EventKind.RAW)) {
            assertTrue(result.count(kind) > 0, kind + " -Dvirtio4j.seed=" + seed);
        }
        assertTrue(result.translations() > 0, "-Dvirtio4j.seed=" + seed);
    }

    @Test
    void shouldEndWhenADriverAcceptsOtherFeatures() throws Exception {
        try (Recorder recorder = Recorder.to(trace); RecordedMachine machine = new RecordedMachine(recorder)) {
            machine.start();
            machine.driver().attach(0, 1, RecordedMachine.DISK, 0);
            machine.startWithoutMmio();
            machine.driver().attach(0, 2, RecordedMachine.DISK, 0);
            assertEquals(trace + ": the recording has ended: a driver accepted other features than the first one",
                    recorder.trouble().orElseThrow());
            assertTrue(recorder.trouble().isEmpty(), "it is said once");
            CommandFailure failure = assertThrows(CommandFailure.class, recorder::finish);
            assertEquals(trace + ": recorded in part, until a driver accepted other features than the first one",
                    failure.getMessage());
        }
        assertEquals(1, assertReplays(trace).count(EventKind.ATTACH));
    }

    @Test
    void shouldLeaveNoFileWithoutADriver() throws Exception {
        Files.writeString(trace, "old");
        try (Recorder recorder = Recorder.to(trace); RecordedMachine machine = new RecordedMachine(recorder)) {
            machine.systemReset();
            CommandFailure failure = assertThrows(CommandFailure.class, recorder::finish);
            assertEquals(trace + ": not recorded: no driver has started the IOMMU", failure.getMessage());
        }
        assertEquals("old", Files.readString(trace));
        assertEquals(List.of(trace.getFileName()), namesInFolder());
    }

    @Test
    void shouldRefuseFilesBeforeAnythingIsRecorded() {
        Path nowhere = folder.resolve("none/some.trace");
        CommandFailure failure = assertThrows(CommandFailure.class, () -> Recorder.to(nowhere));
        assertEquals(nowhere + ": expected a file that can be written, found: no such folder", failure.getMessage());
        assertFalse(Files.exists(nowhere));
    }

    private List<Path> namesInFolder() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(Path::getFileName).toList();
        }
    }

    /** Over each transport; the results are alike. */
    private static TraceResult assertReplays(Path file) throws Exception {
        Replay replay = Objects.requireNonNull(Replay.of(TraceFile.of(file), (phase, which, done, total) -> true));
        for (ReplayTransport transport : ReplayTransport.values()) {
            TraceResult result = replay.play(transport, (phase, which, done, total) -> true);
            assertEquals(List.of(), result.firstMismatches(), transport.toString());
            assertTrue(result.complete());
        }
        return replay.play(ReplayTransport.MMIO, (phase, which, done, total) -> true);
    }
}

// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.virtio4j.benchmarks.peers.input.PeerOperation;
import org.virtio4j.benchmarks.peers.result.PeerColumn;

/** All programs at once, each with a table of its own; they take turns. Ours comes first. */
final class PeerRound implements AutoCloseable {

    private static final String CHECK = "check";
    private static final String CHASE = "chase";

    private final List<PeerProcess> programs = new ArrayList<>();

    private PeerRound() {
    }

    /** Starts the programs, which fill their tables side by side, and has them show that they agree. */
    static PeerRound start(List<Peer> peers, Path keys) throws IOException {
        PeerRound sitting = new PeerRound();
        try {
            for (Peer peer : peers) {
                sitting.programs.add(PeerProcess.start(peer, keys));
            }
            for (PeerProcess program : sitting.programs) {
                program.awaitReady();
            }
            sitting.agree();
            return sitting;
        } catch (IOException | RuntimeException failure) {
            sitting.close();
            throw failure;
        }
    }

    private void agree() throws IOException {
        String ours = programs.getFirst().ask(CHECK);
        for (PeerProcess program : programs) {
            String theirs = program == programs.getFirst() ? ours : program.ask(CHECK);
            if (!theirs.equals(ours)) {
                throw new IOException(program.peer().column().title() + " came to another result: expected " + ours
                        + ", found " + theirs);
            }
        }
    }

    /** What our table takes off the heap. */
    long bytes() throws IOException {
        return Long.parseLong(programs.getFirst().ask(PeerOperation.MEMORY.command()));
    }

    /** One kind of work, round after round, unless somebody interrupts. */
    void measure(PeerOperation operation, int rounds, PeerMode mode, Samples samples, BooleanSupplier interrupted)
            throws IOException {
        if (rounds > 1) {
            warmUp(operation, mode.warmUp());
        }
        for (int round = 0; round < rounds && !interrupted.getAsBoolean(); round++) {
            measureOnce(operation, mode.seconds(), samples);
        }
    }

    private void warmUp(PeerOperation operation, double seconds) throws IOException {
        for (PeerProcess program : programs) {
            if (program.peer().warms()) {
                program.measure(operation.command(), seconds);
            }
        }
        if (operation == PeerOperation.LOOKUP) {
            programs.getFirst().measure(CHASE, seconds);
        }
    }

    private void measureOnce(PeerOperation operation, double seconds, Samples samples) throws IOException {
        for (PeerProcess program : programs) {
            samples.add(operation, program.peer().column(), program.measure(operation.command(), seconds));
        }
        if (operation == PeerOperation.LOOKUP) {
            samples.add(operation, PeerColumn.MISS, programs.getFirst().measure(CHASE, seconds));
        }
    }

    @Override
    public void close() {
        programs.forEach(PeerProcess::close);
    }
}

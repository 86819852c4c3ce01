// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.virtio4j.benchmarks.peers.input.KeyFile;
import org.virtio4j.benchmarks.peers.input.Keys;
import org.virtio4j.benchmarks.peers.input.PeerOperation;
import org.virtio4j.benchmarks.peers.input.PeerSet;
import org.virtio4j.benchmarks.peers.result.PeerColumn;
import org.virtio4j.benchmarks.peers.result.PeerRow;

/** Measures sets with programs that are built. */
final class Competition {

    private static final String KEYS = "keys";

    private final List<Peer> peers;
    private final PeerMode mode;
    private final Path folder;
    private final BooleanSupplier interrupted;
    private final Consumer<String> progress;

    /**
     * Nothing is done yet.
     *
     * @param peers       ours first
     * @param folder      for the file of keys
     * @param interrupted whether to end
     * @param progress    takes what is going on, in words
     */
    Competition(List<Peer> peers, PeerMode mode, Path folder, BooleanSupplier interrupted, Consumer<String> progress) {
        this.peers = peers;
        this.mode = mode;
        this.folder = folder;
        this.interrupted = interrupted;
        this.progress = progress;
    }

    /** Measures one set; there are fewer rows, or none, if somebody interrupts. */
    List<PeerRow> measure(PeerSet set) throws IOException {
        Samples samples = new Samples();
        int count = interrupted.getAsBoolean() ? 0 : write(set.keys().get());
        int sittings = mode.sittings(count);
        for (int sitting = 0; sitting < sittings && !interrupted.getAsBoolean(); sitting++) {
            progress.accept(set.geometry() + ": " + (sitting + 1) + " of " + sittings);
            sit(set, count, samples);
        }
        progress.accept("");
        return samples.rows(set.geometry());
    }

    /** Writes the file of keys; how many mappings there are. */
    private int write(Keys keys) throws IOException {
        KeyFile.write(keys, folder.resolve(KEYS));
        return keys.count();
    }

    private void sit(PeerSet set, int count, Samples samples) throws IOException {
        try (PeerRound programs = PeerRound.start(peers, folder.resolve(KEYS))) {
            if (count != 0 && !set.ofDevices()) {
                samples.add(PeerOperation.MEMORY, PeerColumn.VIRTIO4J, (double) programs.bytes() / count);
            }
            for (PeerOperation operation : set.operations()) {
                programs.measure(operation, mode.rounds(operation, count), mode, samples, interrupted);
            }
        } catch (IOException ended) {
            // Ctrl-C ends the programs, too.
            if (!interrupted.getAsBoolean()) {
                throw ended;
            }
        }
    }
}

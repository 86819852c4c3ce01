// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.virtio4j.benchmarks.peers.result.PeerColumn;
import org.virtio4j.benchmarks.peers.work.PeerWorker;

/**
 * A program that takes part.
 *
 * @param column  where its figures stand
 * @param command what starts it, without the file of keys
 * @param warms   whether it compiles itself while it works
 */
record Peer(PeerColumn column, List<String> command, boolean warms) {

    /** A table in a JVM like this one, with the same options. */
    static Peer java(PeerColumn column) {
        return java(column, column.name());
    }

    /** Our device, in such a JVM. */
    static Peer device() {
        return java(PeerColumn.VIRTIO4J, PeerWorker.DEVICE);
    }

    private static Peer java(PeerColumn column, String work) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.addAll(List.of("-cp", classPath(), PeerWorker.class.getName(), work));
        return new Peer(column, command, true);
    }

    static Peer program(PeerColumn column, Path program) {
        return new Peer(column, List.of(program.toString()), false);
    }

    private static String classPath() {
        return System.getProperty("java.class.path");
    }
}

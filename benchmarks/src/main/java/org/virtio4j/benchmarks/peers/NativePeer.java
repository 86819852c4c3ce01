// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.virtio4j.benchmarks.peers.BuildTool.MissingException;
import org.virtio4j.benchmarks.peers.result.PeerColumn;

/** A program in another language, and how it is built: always with the same flags. */
enum NativePeer {
    RUST(PeerColumn.RUST, "btree_map.rs", "rustc --edition=2021 -Copt-level=3 -Ctarget-cpu=native -Ccodegen-units=1"),
    GTREE(PeerColumn.GTREE, "interval_tree.c", "cc -O3 -march=native") {
        @Override
        List<String> libraries() throws MissingException, InterruptedException {
            return words(BuildTool.run(List.of("pkg-config", "--cflags", "--libs", "glib-2.0")));
        }
    },
    LOOP(PeerColumn.LOOP, "map_loop.c", "cc -O2 -march=native");

    /** Those that are tables; the other is a device. */
    static final List<NativePeer> TABLES = List.of(RUST, GTREE);

    private final PeerColumn column;
    private final String source;
    private final String compiler;

    NativePeer(PeerColumn column, String source, String compiler) {
        this.column = column;
        this.source = source;
        this.compiler = compiler;
    }

    PeerColumn column() {
        return column;
    }

    /** The compiler, with its flags and version, for the report. */
    String flags() throws MissingException, InterruptedException {
        String version = BuildTool.run(List.of(words(compiler).getFirst(), "--version")).lines().findFirst().orElse("");
        return compiler + " (" + version + ")";
    }

    /** What comes behind the source file. */
    List<String> libraries() throws MissingException, InterruptedException {
        return List.of();
    }

    /**
     * Builds it.
     *
     * @param sources folder of the source
     * @param folder  where the program goes
     */
    Peer build(Path sources, Path folder) throws MissingException, InterruptedException {
        Path program = folder.resolve(source.substring(0, source.indexOf('.')));
        List<String> command = new ArrayList<>(words(compiler));
        command.addAll(List.of("-o", program.toString(), sources.resolve(source).toString()));
        command.addAll(libraries());
        BuildTool.run(command);
        return Peer.program(column, program);
    }

    private static List<String> words(String line) {
        return List.of(line.strip().split("\\s+"));
    }
}

// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.virtio4j.benchmarks.host.ControlLoops;
import org.virtio4j.benchmarks.host.Host;
import org.virtio4j.benchmarks.peers.BuildTool.MissingException;
import org.virtio4j.benchmarks.peers.input.PeerSet;
import org.virtio4j.benchmarks.peers.input.TraceSet;
import org.virtio4j.benchmarks.peers.result.PeerChart;
import org.virtio4j.benchmarks.peers.result.PeerColumn;
import org.virtio4j.benchmarks.peers.result.PeerRow;
import org.virtio4j.benchmarks.peers.result.PeerText;
import org.virtio4j.benchmarks.peers.work.CacheHits;
import org.virtio4j.command.CommandFailure;
import org.virtio4j.command.OutputFile;

/** {@code virtio4j bench --peers}: builds the programs, measures set after set, prints rows as they are known. */
public final class PeersCommand {

    private static final Path SOURCES = Path.of("benchmarks", "peers");

    private final PrintStream out;
    private final Consumer<String> progress;
    private final BooleanSupplier interrupted;
    private final List<String> built = new ArrayList<>();

    /**
     * Nothing is done yet.
     *
     * @param out         takes the table
     * @param progress    takes what is going on, in words; nothing when that is over
     * @param interrupted whether to end early
     */
    public PeersCommand(PrintStream out, Consumer<String> progress, BooleanSupplier interrupted) {
        this.out = out;
        this.progress = progress;
        this.interrupted = interrupted;
    }

    /**
     * Runs it.
     *
     * @param request what to measure, and where the results go
     * @throws CommandFailure if a file cannot be written, or a program does not do what it should
     */
    public void run(PeerRequest request) throws CommandFailure {
        // All before anything is measured, so that a file that cannot be written costs nobody a long run.
        request.makeFolder();
        try (OutputFile json = OutputFile.create(request.json());
                OutputFile markdown = OutputFile.create(request.markdown());
                OutputFile chart = OutputFile.create(request.chart())) {
            PeerReport report = measure(request);
            json.write(report.json());
            markdown.write(report.markdown());
            chart.write(PeerChart.svg(report.rows()));
            out.println("written to " + request.json() + ", " + request.markdown() + " and " + request.chart());
        } catch (IOException trouble) {
            throw new CommandFailure("comparing failed: " + trouble.getMessage());
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
            throw new CommandFailure("comparing was interrupted");
        }
    }

    private PeerReport measure(PeerRequest request) throws IOException, InterruptedException, CommandFailure {
        Host host = Host.present();
        ControlLoops before = ControlLoops.measure();
        out.print(host.head(request.mode().text(), before));
        sayCacheHits(request);
        List<PeerRow> rows = rows(request, request.sets(host.memory()));
        ControlLoops after = ControlLoops.measure();
        out.println();
        out.println(before.verdict(after));
        return new PeerReport(host, request.mode(), !interrupted.getAsBoolean(), built, rows, before, after);
    }

    private List<PeerRow> rows(PeerRequest request, List<PeerSet> sets) throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("virtio4j-peers");
        try {
            Path sources = request.home().resolve(SOURCES);
            Competition tables = competition(tables(sources, folder), request, folder);
            Competition devices = competition(devices(sources, folder), request, folder);
            out.println();
            out.println(PeerText.head());
            List<PeerRow> rows = new ArrayList<>();
            for (PeerSet set : sets) {
                rows.addAll(print((set.ofDevices() ? devices : tables).measure(set)));
            }
            return rows;
        } finally {
            deleteAll(folder);
        }
    }

    private List<PeerRow> print(List<PeerRow> rows) {
        rows.forEach(row -> out.println(PeerText.line(row)));
        out.flush();
        return rows;
    }

    private Competition competition(List<Peer> peers, PeerRequest request, Path folder) {
        return new Competition(peers, request.mode(), folder, interrupted, progress);
    }

    /** Ours, then those that can be built. */
    private List<Peer> tables(Path sources, Path folder) throws InterruptedException {
        List<Peer> peers = new ArrayList<>(List.of(Peer.java(PeerColumn.VIRTIO4J)));
        for (NativePeer peer : NativePeer.TABLES) {
            build(peer, sources, folder, peers);
        }
        peers.add(Peer.java(PeerColumn.TREE_MAP));
        return peers;
    }

    /** No time is measured here, but how often it is needed. */
    private void sayCacheHits(PeerRequest request) throws CommandFailure {
        List<PeerSet> traces = new ArrayList<>(request.traces());
        traces.add(TraceSet.shipped());
        for (PeerSet trace : traces) {
            say("cache, " + trace.geometry() + ": " + CacheHits.of(trace.keys().get()).text());
        }
    }

    private List<Peer> devices(Path sources, Path folder) throws InterruptedException {
        List<Peer> peers = new ArrayList<>(List.of(Peer.device()));
        build(NativePeer.LOOP, sources, folder, peers);
        return peers;
    }

    private void build(NativePeer peer, Path sources, Path folder, List<Peer> into) throws InterruptedException {
        try {
            into.add(peer.build(sources, folder));
            say(peer.column().title() + ": " + peer.flags());
        } catch (MissingException missing) {
            say(peer.column().title() + ": not measured: " + missing.getMessage());
        }
    }

    private void say(String line) {
        built.add(line);
        out.println(line);
    }

    private static void deleteAll(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }
}

// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.benchmarks.peers;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A program that is running. It works only while it is asked for something. */
final class PeerProcess implements AutoCloseable {

    private final Peer peer;
    private final Process process;
    private final Writer commands;
    private final BufferedReader answers;

    private PeerProcess(Peer peer, Process process) {
        this.peer = peer;
        this.process = process;
        commands = new OutputStreamWriter(process.getOutputStream(), StandardCharsets.US_ASCII);
        answers = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    /** Starts it; it fills its table then. */
    static PeerProcess start(Peer peer, Path keys) throws IOException {
        List<String> command = new ArrayList<>(peer.command());
        command.add(keys.toString());
        return new PeerProcess(peer, new ProcessBuilder(command).redirectErrorStream(true).start());
    }

    Peer peer() {
        return peer;
    }

    /** Returns when the table is filled. */
    void awaitReady() throws IOException {
        String last = "nothing";
        for (@Nullable String line = answers.readLine(); !"ready".equals(line); line = answers.readLine()) {
            if (line == null) {
                throw new IOException(peer.column().title() + " ended before it was ready; it said: " + last);
            }
            last = line;
        }
    }

    /** Asks for work of so many seconds, and gives nanoseconds an operation. */
    double measure(String command, double seconds) throws IOException {
        String answer = ask(command, seconds);
        try {
            return Double.parseDouble(answer);
        } catch (NumberFormatException complaint) {
            throw new IOException(peer.column().title() + " was asked for " + command + " and said: " + answer,
                    complaint);
        }
    }

    /** Asks for something that is not timed. */
    String ask(String command) throws IOException {
        return ask(command, 0);
    }

    private String ask(String command, double seconds) throws IOException {
        commands.write(String.format(Locale.ROOT, "%s %.3f%n", command, seconds));
        commands.flush();
        @Nullable String answer = answers.readLine();
        if (answer == null) {
            throw new IOException(peer.column().title() + " ended when it was asked for " + command);
        }
        return answer;
    }

    @Override
    public void close() {
        process.destroyForcibly();
        process.onExit().join();
    }
}

// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.opentest4j.TestAbortedException;
import org.virtio4j.harness.Box;
import org.virtio4j.harness.Comparison;
import org.virtio4j.harness.Firmware;
import org.virtio4j.harness.FirmwareGuest;
import org.virtio4j.harness.Guest;
import org.virtio4j.harness.GuestDevices;
import org.virtio4j.harness.GuestObserver;
import org.virtio4j.harness.OtherKernel;
import org.virtio4j.harness.options.Architecture;
import org.virtio4j.harness.options.GuestOptions;
import org.virtio4j.harness.options.GuestOptions.Translation;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.Platform;
import org.virtio4j.harness.options.UnusableGuestException;
import org.virtio4j.harness.options.Workload;

/**
 * Boots the guests of one test, and keeps all that they say over their consoles in {@code target/consoles}; where, is
 * printed if the test fails.
 */
final class GuestBooter implements BeforeEachCallback, AfterEachCallback {

    /** The project's folder. */
    static final Path HOME = Path.of(System.getProperty("virtio4j.home", "..")).toAbsolutePath();
    /** The RAM of each guest. */
    static final int MEBIBYTES = 512;

    private static final Pattern INVOCATION = Pattern.compile("test-template-invocation:#(\\d+)");

    private final List<Path> kept = new ArrayList<>();
    private final Map<String, Runnable> reactions = new LinkedHashMap<>();
    private String name = "";
    private volatile boolean enough;

    /** Whether RAM is handed over as a descriptor, or opened by its name. */
    enum Memory { DESCRIPTOR, FILE }

    /** Fetches what guests need, if it is missing. */
    static void fetch() throws NotFetchedException, UnusableGuestException {
        new Guest(options(Workload.BOOT, 1, Translation.LAZY, Memory.DESCRIPTOR, false), HOME,
                new GuestBooter().new Listener(new PrintWriter(Writer.nullWriter()))).fetch();
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        Matcher invocation = INVOCATION.matcher(context.getUniqueId());
        name = context.getRequiredTestClass().getSimpleName() + "." + context.getRequiredTestMethod().getName()
                + (invocation.find() ? "-" + invocation.group(1) : "");
    }

    @Override
    public void afterEach(ExtensionContext context) {
        if (context.getExecutionException().filter(thrown -> !(thrown instanceof TestAbortedException)).isPresent()) {
            kept.forEach(console -> System.out.println("the guest's console: " + console));
        }
    }

    /** Does something whenever the guest sends a line with these words in it, on the thread that listens to it. */
    GuestBooter when(String words, Runnable what) {
        reactions.put(words, what);
        return this;
    }

    /** Ends the guest that runs. */
    void end() {
        enough = true;
    }

    /** Boots a guest with devices of this suite, and returns when it has ended. */
    Booted boot(Workload workload, int processors, Translation translation, Memory memory, GuestDevices.Server server)
            throws IOException, NotFetchedException, UnusableGuestException {
        try (PrintWriter out = console()) {
            Listener listener = new Listener(out);
            GuestOptions options = options(workload, processors, translation, memory, false);
            return new Booted(new Guest(options, HOME, listener, server).run(), listener.lines);
        }
    }

    /** Boots a guest as the command does. */
    Booted bootAsShipped(Workload workload, Translation translation, boolean qemuDevices)
            throws IOException, NotFetchedException, UnusableGuestException {
        try (PrintWriter out = console()) {
            Listener listener = new Listener(out);
            GuestOptions options = options(workload, 2, translation, Memory.DESCRIPTOR, qemuDevices);
            return new Booted(new Guest(options, HOME, listener).run(), listener.lines);
        }
    }

    /**
     * Boots a guest that starts another kernel, each Debian's newest where none is named. Skips the test, saying why,
     * where something cannot be fetched that other guests do not need.
     */
    Booted bootNext(Workload workload, @Nullable OtherKernel first, @Nullable OtherKernel next,
            GuestDevices.Server server) throws IOException, NotFetchedException, UnusableGuestException {
        GuestOptions options = GuestOptions.of(workload).withMemory(MEBIBYTES)
                .withKernels(image(first), image(next));
        return bootIfFetched(options, server);
    }

    /** Boots a PC with a kernel, Debian's where none is named, and two disks to write to. Skips the test likewise. */
    Booted boot(Workload workload, @Nullable OtherKernel kernel, GuestDevices.Server server)
            throws IOException, NotFetchedException, UnusableGuestException {
        GuestOptions options = GuestOptions.of(workload).withMemory(MEBIBYTES).withKernels(image(kernel), null);
        return bootIfFetched(options, server);
    }

    /** Boots a guest of another kind with two disks to write to. Skips the test likewise. */
    Booted bootDisks(Platform platform, Translation translation, GuestDevices.Server server)
            throws IOException, NotFetchedException, UnusableGuestException {
        GuestOptions options = GuestOptions.of(Workload.DISKS).withMemory(MEBIBYTES).withTranslation(translation)
                .withPlatform(platform);
        return bootIfFetched(options, server);
    }

    /** Boots a guest of another kind as the command does. Skips the test likewise. */
    Booted bootAsShipped(Platform platform, int processors, Workload workload, Translation translation,
            boolean qemuDevices) throws IOException, NotFetchedException, UnusableGuestException {
        GuestOptions options = options(workload, processors, translation, Memory.DESCRIPTOR, qemuDevices)
                .withPlatform(platform);
        try (PrintWriter out = console()) {
            Listener listener = new Listener(out);
            return bootIfFetched(new Guest(options, HOME, listener), listener);
        }
    }

    /**
     * Starts a machine that has firmware and no Linux, and returns all that it sent over its serial port until it
     * switched itself off. Skips the test likewise.
     *
     * @param typed by the line to which it is an answer, given once
     */
    List<String> bootFirmware(Firmware firmware, Map<String, String> typed, GuestDevices.Server server)
            throws IOException, NotFetchedException, UnusableGuestException {
        try (PrintWriter out = console()) {
            Listener listener = new Listener(out);
            Map<String, String> untyped = new LinkedHashMap<>(typed);
            Optional<String> trouble = new FirmwareGuest(firmware, MEBIBYTES, HOME, listener,
                    line -> answer(untyped, line)).run(server);
            assertEquals(Optional.empty(), trouble, () -> "the last lines: " + listener.last());
            return listener.lines;
        } catch (NotFetchedException told) {
            skip(told);
            throw told;
        }
    }

    private static String answer(Map<String, String> untyped, String line) {
        for (String words : untyped.keySet()) {
            if (line.contains(words)) {
                return String.valueOf(untyped.remove(words));
            }
        }
        return "";
    }

    /** The shell of UEFI as a program. Skips the test likewise. */
    static byte[] uefiShell() throws IOException, NotFetchedException {
        try {
            return Files.readAllBytes(Firmware.uefiShell(HOME));
        } catch (NotFetchedException told) {
            skip(told);
            throw told;
        }
    }

    /** Boots a mainframe that writes to its disk. Skips the test likewise. */
    Booted bootS390x(GuestDevices.Server server) throws IOException, NotFetchedException, UnusableGuestException {
        GuestOptions options = GuestOptions.of(Workload.VERIFY).withProcessors(1).withMemory(MEBIBYTES)
                .withPlatform(Platform.of(Architecture.S390X));
        return bootIfFetched(options, server);
    }

    /** Boots a box. Skips the test, saying why, where there can be none. */
    Booted bootBox(Box.Program program) throws IOException, NotFetchedException, UnusableGuestException {
        Box.obstacle().ifPresent(Assumptions::abort);
        try (PrintWriter out = console()) {
            Listener listener = new Listener(out);
            return new Booted(new Box(HOME, program, listener).run(), listener.lines);
        }
    }

    private Booted bootIfFetched(GuestOptions options, GuestDevices.Server server)
            throws IOException, NotFetchedException, UnusableGuestException {
        try (PrintWriter out = console()) {
            Listener listener = new Listener(out);
            return bootIfFetched(new Guest(options, HOME, listener, server), listener);
        }
    }

    private static Booted bootIfFetched(Guest guest, Listener listener)
            throws IOException, NotFetchedException, UnusableGuestException {
        try {
            guest.fetch();
        } catch (NotFetchedException told) {
            skip(told);
        }
        return new Booted(guest.run(), listener.lines);
    }

    private static @Nullable Path image(@Nullable OtherKernel kernel) throws UnusableGuestException {
        try {
            return kernel == null ? null : kernel.image(HOME);
        } catch (NotFetchedException told) {
            skip(told);
            return null;
        }
    }

    /** Why it could not be fetched stands on standard error. */
    static void skip(NotFetchedException told) {
        Assumptions.abort("neither found nor fetched: " + told.getMessage());
    }

    /** Boots guests as the command does to compare devices, each kind once. */
    Comparison compare(Translation translation) throws IOException, NotFetchedException, UnusableGuestException {
        try (PrintWriter out = console()) {
            GuestOptions options = options(Workload.VERIFY, 2, translation, Memory.DESCRIPTOR, false);
            return Comparison.run(options, 1, HOME, new Listener(out));
        }
    }

    private static GuestOptions options(Workload workload, int processors, Translation translation, Memory memory,
            boolean qemuDevices) {
        return GuestOptions.of(workload).withProcessors(processors).withMemory(MEBIBYTES).withTranslation(translation)
                .withMemoryByName(memory == Memory.FILE).withQemuDevices(qemuDevices);
    }

    private PrintWriter console() throws IOException {
        enough = false;
        Path folder = Files.createDirectories(Path.of("target", "consoles").toAbsolutePath());
        Path console = folder.resolve(name + "." + (kept.size() + 1) + ".log");
        kept.add(console);
        return new PrintWriter(Files.newBufferedWriter(console));
    }

    /** Hears one guest. */
    private final class Listener implements GuestObserver {

        private final PrintWriter out;
        private final List<String> lines = new ArrayList<>();

        private Listener(PrintWriter out) {
            this.out = out;
        }

        private String last() {
            return String.join("\n", lines.subList(Math.max(0, lines.size() - 8), lines.size()));
        }

        @Override
        public void step(String what) {
            // It is among the lines.
        }

        @Override
        public void heard(String line) {
            out.println(line);
            out.flush();
            lines.add(line);
            reactions.forEach((words, what) -> {
                if (line.contains(words)) {
                    what.run();
                }
            });
        }

        @Override
        public boolean interrupted() {
            return enough;
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness.qemu;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.virtio4j.harness.fetch.Packages;
import org.virtio4j.harness.fetch.UnpackedProgram;
import org.virtio4j.harness.options.Architecture;
import org.virtio4j.harness.options.GuestOptions;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.UnusableGuestException;
import org.virtio4j.serving.plan.Board;
import org.virtio4j.serving.plan.BoardPlan;

/**
 * A QEMU that can be started.
 *
 * @param command what stands before its arguments
 * @param major its version, the number before the dot
 * @param minor the number behind the dot
 */
public record Qemu(List<String> command, int major, int minor) {

    private static final Pattern VERSION = Pattern.compile("QEMU emulator version (\\d+)\\.(\\d+)");
    private static final int FIRST_MAJOR = 10;
    private static final int FIRST_MINOR = 1;

    /**
     * The QEMU that the options name, or one of the PATH, or else the one that is fetched.
     *
     * @param options what kind of guest it is for
     * @param packages where what is fetched lies
     * @return a QEMU that runs on this machine
     * @throws NotFetchedException if there is none, and none can be fetched
     * @throws UnusableGuestException if the one that the options name, or the fetched one, cannot be used
     */
    public static Qemu find(GuestOptions options, Packages packages)
            throws NotFetchedException, UnusableGuestException {
        Architecture architecture = options.architecture();
        Path chosen = options.qemu();
        if (chosen != null) {
            Qemu qemu = of(chosen, architecture);
            if (!qemu.fits(options)) {
                throw new UnusableGuestException(chosen + ": expected QEMU 10.1 or newer, found " + qemu.version());
            }
            return qemu;
        }
        Optional<Qemu> installed = installed(architecture).filter(qemu -> qemu.fits(options));
        return installed.isPresent() ? installed.get() : unpackedIn(packages.qemu(architecture), architecture);
    }

    /** Its own devices every QEMU has. */
    private boolean fits(GuestOptions options) {
        return options.qemuDevices() || speaksVfioUser();
    }

    /** The QEMU of the PATH, if there is one. */
    static Optional<Qemu> installed(Architecture architecture) {
        return started(List.of(architecture.program()));
    }

    /** A QEMU by its file. */
    static Qemu of(Path program, Architecture architecture) throws UnusableGuestException {
        return started(List.of(program.toString())).orElseThrow(() -> new UnusableGuestException(
                program + ": expected a " + architecture.program()
                        + " that runs on this machine, found something else"));
    }

    /** The QEMU of a folder into which its packages and all they need were unpacked. */
    static Qemu unpackedIn(Path root, Architecture architecture) throws UnusableGuestException {
        List<String> command = new ArrayList<>(UnpackedProgram.command(root, architecture.program()));
        for (String data : List.of("usr/share/qemu", "usr/share/seabios", "usr/lib/ipxe/qemu")) {
            command.addAll(List.of("-L", root.resolve(data).toString()));
        }
        return started(command).orElseThrow(() -> new UnusableGuestException(
                root + ": expected a QEMU that runs on this machine, found another; remove the folder"));
    }

    /**
     * The board of a guest, as serving must know it. It has this QEMU write a device tree if the board has one.
     *
     * @param options what kind of guest
     * @return a PC for a guest that is told nothing of the IOMMU
     */
    public BoardPlan board(GuestOptions options) {
        Board board = options.platform().interrupts().board();
        if (board == null || !board.hasTree()) {
            return BoardPlan.PC;
        }
        BoardPlan plan = BoardPlan.of(board).withQemu(command);
        String processor = options.architecture().processor();
        return processor == null ? plan : plan.withProcessors(processor, options.processors());
    }

    /** Whether it can have devices served by another process. */
    boolean speaksVfioUser() {
        return major > FIRST_MAJOR || (major == FIRST_MAJOR && minor >= FIRST_MINOR);
    }

    /**
     * Its version.
     *
     * @return two numbers with a dot
     */
    public String version() {
        return major + "." + minor;
    }

    private static Optional<Qemu> started(List<String> command) {
        List<String> asked = new ArrayList<>(command);
        asked.add("--version");
        try {
            Process process = new ProcessBuilder(asked).redirectError(ProcessBuilder.Redirect.DISCARD).start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            Matcher version = VERSION.matcher(said);
            if (process.waitFor() == 0 && version.lookingAt()) {
                return Optional.of(new Qemu(List.copyOf(command), Integer.parseInt(version.group(1)),
                        Integer.parseInt(version.group(2))));
            }
        } catch (IOException | NumberFormatException absent) {
            // There is none, or none that says what it is.
        } catch (InterruptedException unexpected) {
            throw new IllegalStateException("unexpected interrupt of this thread", unexpected);
        }
        return Optional.empty();
    }
}

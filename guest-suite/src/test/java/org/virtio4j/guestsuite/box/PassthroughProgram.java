// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite.box;

import static org.virtio4j.guestsuite.box.KernelLog.fact;
import static org.virtio4j.guestsuite.box.PassthroughGuest.A;
import static org.virtio4j.guestsuite.box.PassthroughGuest.B;
import static org.virtio4j.guestsuite.box.PassthroughGuest.BOTH;
import static org.virtio4j.guestsuite.box.PassthroughGuest.MIDDLE;
import static org.virtio4j.guestsuite.box.PassthroughGuest.READ;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.virtio4j.iommu.embedder.MappingListener.Answer;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.vfiohost.VfioContainer;
import org.virtio4j.vfiohost.VfioFailure;
import org.virtio4j.vfiohost.VfioMirror;

/**
 * Passes two devices of the box to a guest, whose driver maps memory for them, and has them do DMA. The program says in
 * the kernel's log what came of it, and Linux says there which DMA the box's IOMMU has refused.
 */
public final class PassthroughProgram {

    /** Where the devices see memory. Each address that is refused is used once, so that it tells what was refused. */
    private static final long IOVA = 0x10_0000;
    private static final long READ_ONLY = 0x20_0000;
    private static final long ACROSS = 0x30_0000;
    private static final long OTHERS = 0x40_0000;
    private static final long LARGE = 0x100_0000;

    /** Where the guest has what they copy. */
    private static final long DATA = 8L << 20;
    private static final long OTHER_DATA = 9L << 20;

    private static final int PAGE = 4096;
    private static final int HALF_COPY = LessonDevice.BYTES / 2;

    private final String nameOfA;
    private final String nameOfB;
    private final FaultBudget faults = new FaultBudget();

    private PassthroughProgram(String nameOfA, String nameOfB) {
        this.nameOfA = nameOfA;
        this.nameOfB = nameOfB;
    }

    /**
     * Runs all that there is.
     *
     * @param arguments the names of two functions of PCI, each in a group of its own
     */
    public static void main(String[] arguments) throws IOException {
        try {
            PassthroughProgram program = new PassthroughProgram(arguments[0], arguments[1]);
            program.oneContainer();
            program.twoContainers();
            program.withoutMirror();
            fact("end/locked", lockedKibibytes());
            KernelLog.say("done");
        } catch (Exception | Error failed) {
            failed.printStackTrace();
            KernelLog.say("failed " + failed);
        }
    }

    /** Both devices in one domain, and what a guest may do to it. */
    private void oneContainer() throws IOException, InterruptedException {
        try (VfioContainer container = VfioContainer.open()) {
            LessonDevice a = new LessonDevice(container.device(nameOfA));
            LessonDevice b = new LessonDevice(container.device(nameOfB));
            fact("one/page", Long.lowestOneBit(container.pageSizeMask()));
            fact("one/doorbell", reserved(container).list().get(0));
            fact("one/doorbell-usable", container.usableRanges().stream().anyMatch(
                    range -> range.holds(0xfee0_0000L, 0xfee0_0fffL)));
            try (PassthroughGuest guest = new PassthroughGuest(reserved(container), reserved(container));
                    VfioMirror mirror = VfioMirror.of(guest.memory(), container)) {
                StubbornMirror stubborn = new StubbornMirror(mirror);
                fact("one/join", guest.iommu().join(stubborn, A, B));
                fact("one/attach", guest.attach(1, A));
                fact("one/apart", guest.attach(2, B));
                fact("one/together", guest.attach(1, B));
                fact("one/copied", mapsAndCopies(guest, 1, a, DATA));
                b.take(IOVA + PAGE);
                b.put(IOVA + HALF_COPY * 4);
                fact("one/copied-by-the-other", guest.isFilled(DATA + HALF_COPY * 4, 1));
                rights(guest, a);
                limits(guest, container, mirror);
                expulsion(guest, a, stubborn);
            }
        }
        fact("one/locked", lockedKibibytes());
    }

    /** Maps two pages, takes what is in the first, and puts it into the second. */
    private static boolean mapsAndCopies(PassthroughGuest guest, int domain, LessonDevice device, long gpa)
            throws IOException, InterruptedException {
        maps(guest, domain, gpa);
        device.take(IOVA);
        device.put(IOVA + PAGE);
        return guest.isFilled(gpa + PAGE, 1);
    }

    private static void maps(PassthroughGuest guest, int domain, long gpa) throws IOException {
        guest.fill(gpa, 1);
        guest.fill(gpa + PAGE, 100);
        fact("map/" + domain, guest.map(domain, IOVA, 2 * PAGE, gpa, BOTH));
    }

    private void rights(PassthroughGuest guest, LessonDevice a) throws IOException, InterruptedException {
        guest.fill(DATA, 50);
        fact("rights/map", guest.map(1, READ_ONLY, PAGE, DATA, READ));
        // First, because QEMU's IOMMU reports no fault at an address that it has looked up before for another right.
        faults.spend(() -> a.put(READ_ONLY));
        fact("rights/kept", guest.isFilled(DATA, 50));
        a.take(READ_ONLY);
        a.put(IOVA + PAGE);
        fact("rights/read", guest.isFilled(DATA + PAGE, 50));

        fact("across/map", guest.map(1, ACROSS, 2 * PAGE, MIDDLE - PAGE, BOTH));
        a.put(ACROSS + PAGE - HALF_COPY);
        fact("across/copied", guest.isFilled(MIDDLE - HALF_COPY, 50));

        guest.fill(DATA + PAGE, 80);
        fact("unmapped/unmap", guest.unmap(1, IOVA, IOVA + 2 * PAGE - 1));
        faults.spend(() -> a.put(IOVA + PAGE));
        fact("unmapped/kept", guest.isFilled(DATA + PAGE, 80));
    }

    private static void limits(PassthroughGuest guest, VfioContainer container, VfioMirror mirror) throws IOException {
        long before = guest.iommu().liveMappings();
        int locked = lockedKibibytes();
        // 8 MiB of the first region can be pinned, and 16 MiB of the second cannot.
        fact("pinned/map", guest.map(1, LARGE, 24L << 20, 24L << 20, BOTH));
        fact("pinned/why", mirror.lastFailure().map(VfioFailure::error).orElse("none"));
        fact("pinned/undone", guest.iommu().liveMappings() == before && lockedKibibytes() == locked);
        fact("pinned/map-less", guest.map(1, LARGE, 8L << 20, 24L << 20, BOTH));

        long available = container.mappingsAvailable();
        long made = 0;
        while (guest.map(1, 2 * LARGE + made * 2 * PAGE, PAGE, DATA, BOTH) == 0) {
            made++;
        }
        fact("entries/made-all", made == available && container.mappingsAvailable() == 0);
        fact("entries/why", mirror.lastFailure().map(VfioFailure::error).orElse("none"));
        fact("entries/unmap", guest.unmap(1, 0, -1));
        fact("entries/left", mirror.mappings() + " " + guest.iommu().liveMappings() + " " + lockedKibibytes());
    }

    private static void expulsion(PassthroughGuest guest, LessonDevice a, StubbornMirror stubborn)
            throws IOException, InterruptedException {
        fact("expelled/copied", mapsAndCopies(guest, 1, a, DATA));
        stubborn.refuse();
        fact("expelled/unmap", guest.unmap(1, IOVA, IOVA + 2 * PAGE - 1));
        guest.fill(DATA + PAGE, 90);
        a.put(IOVA + PAGE);
        fact("expelled/kept", guest.isFilled(DATA + PAGE, 90));
        fact("expelled/attach", guest.attach(1, A));
    }

    /** Each device in a domain of its own, and then both in one again, whose mappings two containers have. */
    private void twoContainers() throws IOException, InterruptedException {
        try (VfioContainer first = VfioContainer.open(); VfioContainer second = VfioContainer.open()) {
            LessonDevice a = new LessonDevice(first.device(nameOfA));
            LessonDevice b = new LessonDevice(second.device(nameOfB));
            try (PassthroughGuest guest = new PassthroughGuest(reserved(first), reserved(second));
                    VfioMirror ofA = VfioMirror.of(guest.memory(), first);
                    VfioMirror ofB = VfioMirror.of(guest.memory(), second)) {
                fact("two/join", guest.iommu().join(ofA, A) + " " + guest.iommu().join(ofB, B));
                fact("two/attach", guest.attach(1, A) + " " + guest.attach(2, B));
                fact("two/copied", mapsAndCopies(guest, 1, a, DATA) + " " + mapsAndCopies(guest, 2, b, OTHER_DATA));
                fact("two/map", guest.map(1, OTHERS, PAGE, DATA, BOTH));
                guest.fill(DATA, 30);
                faults.spend(() -> b.put(OTHERS));
                fact("two/kept", guest.isFilled(DATA, 30));
                guest.iommu().leave(ofB);
                guest.iommu().leave(ofA);
                both(guest, a, b, VfioMirror.of(guest.memory(), first, second));
            }
        }
    }

    private static void both(PassthroughGuest guest, LessonDevice a, LessonDevice b, VfioMirror mirror)
            throws IOException, InterruptedException {
        try (mirror) {
            fact("both/apart", guest.iommu().join(mirror, A, B) == Answer.DONE);
            fact("both/attach", guest.attach(1, B));
            fact("both/join", guest.iommu().join(mirror, A, B));
            a.take(OTHERS);
            a.put(IOVA);
            b.take(IOVA);
            b.put(IOVA + PAGE);
            fact("both/copied", guest.isFilled(DATA + PAGE, 30));
            guest.iommu().leave(mirror);
            fact("both/left", mirror.mappings());
        }
    }

    /** The counter-run: the same mapping and the same DMA as with a mirror, and nobody programs the box's IOMMU. */
    private void withoutMirror() throws IOException, InterruptedException {
        try (VfioContainer container = VfioContainer.open()) {
            LessonDevice a = new LessonDevice(container.device(nameOfA));
            try (PassthroughGuest guest = new PassthroughGuest(reserved(container), reserved(container))) {
                fact("without/attach", guest.attach(1, A));
                maps(guest, 1, DATA);
                faults.spend(() -> a.take(IOVA));
                faults.spend(() -> a.put(IOVA + PAGE));
                fact("without/kept", guest.isFilled(DATA + PAGE, 100));
            }
        }
    }

    private static ReservedRegions reserved(VfioContainer container) {
        return container.reserved(ReservedRegions.X86_MSI);
    }

    /** How much memory this process has pinned. */
    private static int lockedKibibytes() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmLck:")) {
                return Integer.parseInt(line.replaceAll("[^0-9]", ""));
            }
        }
        throw new IOException("Linux does not say what is locked");
    }
}

// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.truncation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;
import org.virtio4j.driver.StartResult;
import org.virtio4j.fixture.Parked;
import org.virtio4j.transport.TransportKind;
import org.virtio4j.truncation.CutRam.Part;
import org.virtio4j.vmm.GuestMemory;

/**
 * A process in which guests lose parts of their memory at any moment, round after round, while another guest works on.
 * It is one of its own because the JVM that runs it might not survive, and is run in each way in which a JVM executes.
 */
public final class TruncationRounds {

    private static final String LOST = "guest memory was cut short while it was used: ";

    /** So often a guest that was through before its memory was cut works once more. */
    private static final int TRIES = 10;

    private static final List<Part> PARTS = List.of(Part.values());

    private final Random random;
    private final List<CutGuest> guests = new ArrayList<>();
    private final Map<String, Integer> hits = new TreeMap<>();

    /** How long a guest's work takes when nothing is cut, in nanoseconds. */
    private final Map<CutGuest, Long> usual = new HashMap<>();
    private int meanwhile;

    private TruncationRounds(Path folder, Random random) {
        this.random = random;
        List<TransportKind> transports = List.of(TransportKind.values());
        int number = 0;
        for (CutDisk.Kind kind : CutDisk.Kind.values()) {
            guests.add(CutDisk.of(folder.resolve("disk" + number), transports.get(number % transports.size()), kind));
            number++;
        }
        for (boolean events : new boolean[] {false, true}) {
            guests.add(CutIommu.of(folder.resolve("iommu" + number), transports.get(number % transports.size()),
                    events));
            number++;
        }
    }

    /** Arguments: a folder for all files, how many rounds, how often each guest works before the first, a seed. */
    public static void main(String[] arguments) {
        Path folder = Path.of(arguments[0]);
        int rounds = Integer.parseInt(arguments[1]);
        int warmUps = Integer.parseInt(arguments[2]);
        Random random = new Random(Long.parseLong(arguments[3]));
        TruncationRounds all = new TruncationRounds(folder, random);
        try (Neighbour neighbour = Neighbour.start(folder.resolve("neighbour"))) {
            all.warmUp(warmUps);
            for (int i = 0; i < rounds; i++) {
                long before = neighbour.answered();
                all.round(i);
                Parked.until(() -> neighbour.answered() > before);
                neighbour.check();
            }
            all.end();
            System.out.println(rounds + " rounds, devices that failed: " + all.hits + ", of these in the middle of"
                    + " their work " + all.meanwhile + ", the neighbour worked " + neighbour.answered() + " times");
        }
    }

    private void warmUp(int count) {
        for (CutGuest guest : guests) {
            guest.start(false, true);
            for (int i = 0; i < count; i++) {
                guest.verify(random);
            }
            for (int i = 0; i < 3; i++) {
                long began = System.nanoTime();
                guest.load(random);
                guest.fire();
                Parked.until(guest::done);
                usual.put(guest, System.nanoTime() - began);
                restart(guest, false);
            }
        }
    }

    /** One guest loses one part, before its work or in the middle of it; then it is reset, and must work. */
    private void round(int number) {
        CutGuest guest = guests.get(number % guests.size());
        Part part = PARTS.get(number / guests.size() % PARTS.size());
        boolean before = random.nextInt(3) == 0;
        String failure = "";
        for (int tries = 0; failure.isEmpty() && tries < TRIES; tries++) {
            restart(guest, part == Part.TABLES || random.nextInt(3) == 0);
            guest.verify(random);
            guest.load(random);
            failure = before ? cutBefore(guest, part) : cutMeanwhile(guest, part);
            assertTrue(failure.isEmpty() || failure.contains(LOST), failure);
            if (!failure.isEmpty()) {
                guest.checkNothingWrong();
            }
            assertEquals(StartResult.OK, guest.driver.reset());
            guest.ram.restore(part);
        }
        hits.merge(guest.getClass().getSimpleName() + " " + part, failure.isEmpty() ? 0 : 1, Integer::sum);
        meanwhile += before || failure.isEmpty() ? 0 : 1;
        guest.start(random.nextBoolean(), random.nextBoolean());
        guest.verify(random);
    }

    /** What was cut before is met by whoever serves, sooner or later. */
    private String cutBefore(CutGuest guest, Part part) {
        guest.ram.cut(part, left(part));
        guest.fire();
        Parked.until(() -> !guest.failure().isEmpty());
        return guest.failure();
    }

    private String cutMeanwhile(CutGuest guest, Part part) {
        long delay = random.nextLong(usual.getOrDefault(guest, 0L) + 1);
        long left = left(part);
        Thread cutter = new Thread(() -> {
            long began = System.nanoTime();
            LockSupport.parkNanos(delay / 2);
            while (System.nanoTime() - began < delay) {
                Thread.onSpinWait();
            }
            guest.ram.cut(part, left);
        }, "cutter");
        cutter.start();
        guest.fire();
        Parked.finish(cutter);
        Parked.until(() -> guest.done() || !guest.failure().isEmpty());
        return guest.failure();
    }

    /** What all guests use of their buffers is more than that. */
    private long left(Part part) {
        return part == Part.BUFFERS ? random.nextInt(2) * GuestMemory.PAGE_SIZE : 0;
    }

    private void restart(CutGuest guest, boolean indirect) {
        assertEquals(StartResult.OK, guest.driver.reset());
        guest.start(indirect, random.nextBoolean());
    }

    private void end() {
        for (CutGuest guest : guests) {
            guest.checkNothingWrong();
            guest.close();
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.concurrency;

import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.jspecify.annotations.Nullable;
import org.virtio4j.dma.DmaCursor;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.DmaResult;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.driver.FeatureSet;
import org.virtio4j.driver.GuestRam;
import org.virtio4j.driver.StartResult;
import org.virtio4j.driver.iommu.DriverResult;
import org.virtio4j.driver.iommu.IommuDriver;
import org.virtio4j.driver.iommu.IommuDriverOptions;
import org.virtio4j.driver.iommu.RequestResult;
import org.virtio4j.driver.mmio.MmioDriverTransport;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.mmio.VirtioMmioDevice;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.LittleEndian;
import org.virtio4j.wire.FeatureBit;
import org.virtio4j.wire.iommu.IommuFeature;
import org.virtio4j.wire.iommu.RequestStatus;

/**
 * A driver that maps, unmaps, attaches, detaches and resets at random, and a device that reads all the while. Every
 * page that is mapped says in each of its words for which address; every page that is not, whose UNMAP has been
 * answered, is poison. The device must find poison nowhere and at each address only pages for that address; and what is
 * mapped for good while it looks, it must find. The driver keeps books of its own and compares each answer with them.
 *
 * <p>Run as a process of its own: arguments are seconds and a seed. Exit status 1 if something was wrong.
 */
public final class LongRun {

    private static final long PAGE = GuestMemory.PAGE_SIZE;
    private static final int DISK = 8;
    /** Endpoints that keep a domain alive when the disk is elsewhere. */
    private static final int KEEPER = 9;
    private static final int DOMAINS = 2;
    private static final int NOWHERE = -1;

    /** Pages of I/O-virtual addresses that are used in each domain, from {@link #FIRST_IOVA} on. */
    private static final int SPAN = 512;
    private static final long FIRST_IOVA = 0x4000_0000L;
    private static final int LONGEST_MAP = 4;
    private static final int LONGEST_UNMAP = 12;
    private static final int BATCH = 16;

    private static final long DRIVER_BYTES = 0x40_0000;
    private static final int FRAMES = DOMAINS * SPAN;
    private static final long POISON = -1;
    private static final int READ_WRITE = 3;

    /** One of so many rounds of the driver is not a batch of MAP and UNMAP. */
    private static final int MOVE = 20;
    private static final int END = 200;
    private static final int RESET = 2000;
    private static final int READS_A_SECTION = 4;

    private final SplittableRandom random;
    private final long seed;
    private final GuestMemory memory = new GuestMemory();
    private final MemorySegment frames;
    private final IommuDriver driver;
    private final DmaHandle disk;

    /** What the driver knows. The frame of a page is always the same; only its mark says whether it may be read. */
    private final ExpectedMappings[] books = {new ExpectedMappings(SPAN), new ExpectedMappings(SPAN)};
    private final boolean[] touched = new boolean[FRAMES];
    private final int[] expected = new int[BATCH];

    /** For each frame, odd while it is mapped for certain: changed before an UNMAP is sent and after a MAP is done. */
    private final AtomicIntegerArray certain = new AtomicIntegerArray(FRAMES);
    /** Odd while it is certain where the disk is attached. */
    private final AtomicInteger attachment = new AtomicInteger();
    private volatile int attachedTo = NOWHERE;

    private volatile boolean running = true;
    private volatile @Nullable String complaint;

    private long requests;
    private long refusals;
    private long reads;
    private long misses;

    private LongRun(long seed) {
        this.seed = seed;
        random = new SplittableRandom(seed);
        memory.addAnonymous(0, DRIVER_BYTES);
        frames = memory.addAnonymous(DRIVER_BYTES, FRAMES * PAGE).segment();
        VirtioIommu iommu = VirtioIommu.builder().endpoint(DISK).endpoint(KEEPER).endpoint(KEEPER + 1)
                .bootBypass(false).maxMappings(4 * FRAMES).build();
        IommuDriverOptions options = IommuDriverOptions.LINUX.withEventBuffers(0).withWanted(FeatureSet.of(
                FeatureBit.VERSION_1, FeatureBit.ACCESS_PLATFORM, FeatureBit.EVENT_IDX, IommuFeature.MAP_UNMAP));
        driver = new IommuDriver(
                MmioDriverTransport.of(VirtioMmioDevice.of(iommu, DmaSpace.identity(memory), level -> { })),
                new GuestRam(memory, 0, DRIVER_BYTES), options, this::answered);
        disk = DmaSpace.of(memory, iommu.translator(DISK)).open("disk");
    }

    /** Runs for so many seconds with such a seed. */
    public static void main(String[] arguments) throws InterruptedException {
        LongRun run = new LongRun(Long.parseLong(arguments[1]));
        long began = System.nanoTime();
        Thread device = new Thread(run::readSafely, "device");
        run.begin();
        device.start();
        try {
            run.drive(began + TimeUnit.SECONDS.toNanos(Long.parseLong(arguments[0])));
        } finally {
            run.running = false;
            device.join();
        }
        String wrong = run.complaint;
        System.out.printf("LongRun seed %d: %.1f s, %,d requests (%,d refused), %,d reads (%,d found nothing): %s%n",
                run.seed, (System.nanoTime() - began) / 1e9, run.requests, run.refusals, run.reads, run.misses,
                wrong == null ? "nothing wrong" : wrong);
        System.exit(wrong == null ? 0 : 1);
    }

    private void complain(String what) {
        if (complaint == null) {
            complaint = what;
        }
        running = false;
    }

    // The driver

    private void drive(long end) {
        while (running && System.nanoTime() - end < 0) {
            if (random.nextInt(RESET) == 0) {
                reset();
            } else if (random.nextInt(END) == 0) {
                endDomain(random.nextInt(DOMAINS));
            } else if (random.nextInt(MOVE) == 0) {
                move(random.nextInt(NOWHERE, DOMAINS));
            } else {
                batch(1 + random.nextInt(BATCH));
            }
        }
    }

    private void batch(int count) {
        for (int tag = 0; tag < count; tag++) {
            int domain = random.nextInt(DOMAINS);
            int from = random.nextInt(SPAN);
            if (random.nextInt(6) == 0) {
                queueUnmap(tag, domain, from, Math.min(SPAN - 1, from + random.nextInt(LONGEST_UNMAP)));
            } else {
                queueMap(tag, domain, from, Math.min(SPAN - 1, from + random.nextInt(LONGEST_MAP)));
            }
        }
        require(driver.sync() == DriverResult.OK);
        concludeTouched();
    }

    private void queueMap(int tag, int domain, int from, int to) {
        boolean accepted = books[domain].map(from, to);
        for (int page = from; page <= to && accepted; page++) {
            fill(frame(domain, page), mark(domain, page));
            touched[frame(domain, page)] = true;
        }
        expected[tag] = accepted ? RequestStatus.OK : RequestStatus.INVAL;
        require(driver.map(tag, domain, iova(from), iova(to) + PAGE - 1, DRIVER_BYTES + frame(domain, from) * PAGE,
                READ_WRITE) == DriverResult.OK);
    }

    private void queueUnmap(int tag, int domain, int from, int to) {
        boolean accepted = books[domain].unmap(from, to, page -> doubt(frame(domain, page)));
        expected[tag] = accepted ? RequestStatus.OK : RequestStatus.RANGE;
        require(driver.unmap(tag, domain, iova(from), iova(to) + PAGE - 1) == DriverResult.OK);
    }

    private void answered(RequestResult result) {
        requests++;
        refusals += result.status() == RequestStatus.OK ? 0 : 1;
        if (result.status() != expected[(int) result.tag()]) {
            complain("status " + result.status() + " where " + expected[(int) result.tag()] + " was due");
        }
    }

    /** From now on this page may be gone at any moment. */
    private void doubt(int frame) {
        touched[frame] = true;
        if (isOdd(certain.get(frame))) {
            certain.incrementAndGet(frame);
        }
    }

    /** All answers are there: what is mapped is certain, and what is not is used for something else. */
    private void concludeTouched() {
        for (int frame = 0; frame < FRAMES; frame++) {
            if (touched[frame]) {
                touched[frame] = false;
                conclude(frame);
            }
        }
    }

    private void conclude(int frame) {
        if (!books[frame / SPAN].isMapped(frame % SPAN)) {
            fill(frame, POISON);
        } else if (!isOdd(certain.get(frame))) {
            certain.incrementAndGet(frame);
        }
    }

    /** Attaches the disk to another domain or to the same, or to none. */
    private void move(int domain) {
        attachment.incrementAndGet();
        if (domain != NOWHERE) {
            attach(domain, DISK);
        } else if (attachedTo != NOWHERE) {
            detach(attachedTo, DISK);
        }
        attachedTo = domain;
        attachment.incrementAndGet();
    }

    private void endDomain(int domain) {
        if (attachedTo == domain) {
            move(DOMAINS - 1 - domain);
        }
        forget(domain);
        detach(domain, KEEPER + domain);
        concludeTouched();
        attach(domain, KEEPER + domain);
    }

    private void reset() {
        attachment.incrementAndGet();
        for (int domain = 0; domain < DOMAINS; domain++) {
            forget(domain);
        }
        require(driver.writeStatus(0) == StartResult.OK);
        concludeTouched();
        attachedTo = NOWHERE;
        attachment.incrementAndGet();
        start();
    }

    /** Leaves the disk where it is certain to be: nowhere. */
    private void begin() {
        start();
        attachment.incrementAndGet();
    }

    private void start() {
        require(driver.start() == StartResult.OK);
        for (int domain = 0; domain < DOMAINS; domain++) {
            attach(domain, KEEPER + domain);
        }
    }

    private void forget(int domain) {
        require(books[domain].unmap(0, SPAN - 1, page -> doubt(frame(domain, page))));
    }

    private void attach(int domain, int endpoint) {
        expected[0] = RequestStatus.OK;
        require(driver.attach(0, domain, endpoint, 0) == DriverResult.OK);
    }

    private void detach(int domain, int endpoint) {
        expected[0] = RequestStatus.OK;
        require(driver.detach(0, domain, endpoint) == DriverResult.OK);
    }

    private void fill(int frame, long value) {
        for (long offset = 0; offset < PAGE; offset += Long.BYTES) {
            LittleEndian.putI64(frames, frame * PAGE + offset, value);
        }
    }

    private static void require(boolean holds) {
        if (!holds) {
            throw new IllegalStateException("the device did not answer");
        }
    }

    // The device

    /** A reader that finds a table in pieces may well end outside of all memory. */
    private void readSafely() {
        try {
            read();
        } catch (RuntimeException broken) {
            complain("the device ended with " + broken);
        }
    }

    private void read() {
        SplittableRandom pages = new SplittableRandom(~seed);
        Look[] looks = new Look[READS_A_SECTION];
        for (int i = 0; i < READS_A_SECTION; i++) {
            looks[i] = new Look();
        }
        while (running) {
            for (Look look : looks) {
                look.begin(pages.nextInt(SPAN));
            }
            disk.enter();
            for (Look look : looks) {
                look.read();
            }
            disk.leave();
            for (Look look : looks) {
                look.judge();
            }
        }
    }

    /** One page that the device reads, and what was known of it before. */
    private final class Look {

        private static final int STEP = 1000;

        private final DmaCursor cursor = new DmaCursor();
        private int page;
        private int attachmentBefore;
        private int domain;
        private int certainBefore;
        private boolean found;
        private long seen;
        private boolean whole;

        void begin(int which) {
            page = which;
            attachmentBefore = attachment.get();
            domain = attachedTo;
            certainBefore = domain == NOWHERE ? 0 : certain.get(frame(domain, page));
        }

        void read() {
            found = disk.access(iova(page), PAGE, Access.READ, cursor) == DmaResult.OK;
            if (found && cursor.next()) {
                seen = LittleEndian.i64(cursor.segment(), cursor.offset());
                whole = cursor.length() == PAGE;
                for (long offset = Long.BYTES; offset < PAGE; offset += STEP) {
                    whole &= seen == LittleEndian.i64(cursor.segment(), cursor.offset() + offset);
                }
            }
        }

        void judge() {
            reads++;
            misses += found ? 0 : 1;
            boolean settled = isOdd(attachmentBefore) && attachmentBefore == attachment.get();
            if (found && (!whole || !isMarkOf(page, seen))) {
                complain("page " + page + " shows " + (seen == POISON ? "poison" : "mark " + seen)
                        + (whole ? "" : ", not everywhere"));
            } else if (found && settled && (domain == NOWHERE || seen != mark(domain, page))) {
                complain("page " + page + " shows mark " + seen + ", but the disk is in domain " + domain);
            } else if (!found && settled && isOdd(certainBefore)
                    && certain.get(frame(domain, page)) == certainBefore) {
                complain("page " + page + " of domain " + domain + " was mapped and not found");
            }
        }
    }

    private static boolean isMarkOf(int page, long mark) {
        return mark == mark(0, page) || mark == mark(1, page);
    }

    private static long mark(int domain, int page) {
        return 1_000_000L + frame(domain, page);
    }

    private static int frame(int domain, int page) {
        return domain * SPAN + page;
    }

    private static long iova(int page) {
        return FIRST_IOVA + page * PAGE;
    }

    private static boolean isOdd(int count) {
        return count % 2 != 0;
    }
}

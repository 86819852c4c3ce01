// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.launcher.serve;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.virtio4j.iommu.ReservedRegion;
import org.virtio4j.iommu.ReservedRegions;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.iommu.VirtioIommuBuilder;
import org.virtio4j.launcher.command.CommandFailure;
import org.virtio4j.launcher.command.NearestName;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.iommu.IommuFeature;

/** Understands a section {@code [iommu]}, but for its address. */
final class IommuReader {

    static final String RESERVED = "reserved";

    private static final String PAGE_SIZES = "page-sizes";
    private static final String INPUT_RANGE = "input-range";
    private static final String DOMAIN_RANGE = "domain-range";
    private static final String PROBE_SIZE = "probe-size";
    private static final String BYPASS = "bypass";
    private static final String BYPASS_AFTER_RESET = "bypass-after-reset";
    private static final String REQUEST_QUEUE = "request-queue";
    private static final String EVENT_QUEUE = "event-queue";
    private static final String MAX_MAPPINGS = "max-mappings";
    private static final String LINGER = "linger";
    private static final String WITHOUT = "without";

    /** All that may be said, with the address. */
    static final List<String> KEYS = List.of(MachineReader.ADDRESS, RESERVED, PAGE_SIZES, INPUT_RANGE, DOMAIN_RANGE,
            PROBE_SIZE, BYPASS, BYPASS_AFTER_RESET, REQUEST_QUEUE, EVENT_QUEUE, MAX_MAPPINGS, LINGER, WITHOUT,
            MachineReader.POLL, MachineReader.IDLE);

    private static final Map<String, Integer> FEATURES = Map.of("input-range", IommuFeature.INPUT_RANGE,
            "domain-range", IommuFeature.DOMAIN_RANGE, "map-unmap", IommuFeature.MAP_UNMAP,
            "probe", IommuFeature.PROBE, "mmio", IommuFeature.MMIO, "bypass-config", IommuFeature.BYPASS_CONFIG);
    private static final Pattern SIZE = Pattern.compile("(\\d{1,9})([KMG])");
    private static final Pattern HEX_RANGE = Pattern.compile("([0-9a-f]{1,16})-([0-9a-f]{1,16})");
    private static final Pattern RANGE = Pattern.compile("(\\d{1,10})-(\\d{1,10})");
    /** Doorbells by the names of what has them, on QEMU's boards. */
    private static final Map<String, ReservedRegion> DOORBELLS = Map.of(
            "msi:x86", doorbell(ReservedRegions.X86_MSI), "msi:gicv2m", doorbell(ReservedRegions.QEMU_VIRT_GICV2M),
            "msi:its", doorbell(ReservedRegions.QEMU_VIRT_ITS));
    private static final Pattern REGION = Pattern.compile("(msi|reserved):" + HEX_RANGE.pattern());
    private static final String SEPARATOR = "[,\\s]+";
    private static final int HEXADECIMAL = 16;
    private static final long MOST_MAPPINGS = 1L << 30;

    /** A disk's rings, the longest request of the default queue, and as much again that is not taken away yet. */
    private static final long LEAST_MAPPINGS = 512;
    private static final int MOST_PROPERTIES = 65_536;
    private static final long MOST_DOMAINS = 0xffff_ffffL;
    private static final int MOST_ENTRIES = 32_768;
    private static final long NANOS_PER_MICRO = 1_000;
    private static final int MOST_LINGER = 1_000_000;

    /**
     * Of ten requests that follow on an answer eight come within it, and while it lasts the virtual CPU that notified
     * may have to wait for this thread.
     */
    private static final int LINGER_MICROS = 10;

    private IommuReader() {
    }

    /** An IOMMU without endpoints. */
    static VirtioIommuBuilder read(ConfigSection section) throws CommandFailure {
        VirtioIommuBuilder builder = VirtioIommu.builder()
                .probeSize((int) section.number(PROBE_SIZE, 512, 0, MOST_PROPERTIES))
                .bootBypass(section.flag(BYPASS, true))
                .linger(Duration.ofNanos(NANOS_PER_MICRO * section.number(LINGER, LINGER_MICROS, 0, MOST_LINGER)))
                .bypassAfterReset(section.flag(BYPASS_AFTER_RESET, false))
                .maxMappings(mappings(section));
        queues(section, builder);
        if (section.has(PAGE_SIZES)) {
            section.parsed(PAGE_SIZES, text -> builder.pageSizeMask(pageSizes(text)));
        }
        if (section.has(INPUT_RANGE)) {
            section.parsed(INPUT_RANGE, text -> inputRange(builder, text));
        }
        if (section.has(DOMAIN_RANGE)) {
            section.parsed(DOMAIN_RANGE, text -> domainRange(builder, text));
        }
        if (section.has(WITHOUT)) {
            section.parsed(WITHOUT, text -> without(builder, text));
        }
        return builder;
    }

    /** The key {@link #RESERVED} of this or another section. */
    static ReservedRegions reserved(ConfigSection section, ReservedRegions otherwise) throws CommandFailure {
        return section.has(RESERVED) ? section.parsed(RESERVED, IommuReader::regions) : otherwise;
    }

    /** How a configuration names the region that holds a doorbell. */
    static String nameOf(long doorbell) {
        return DOORBELLS.entrySet().stream().filter(named -> holds(named.getValue(), doorbell)).map(Map.Entry::getKey)
                .findFirst().orElseGet(() -> "msi:" + Long.toHexString(doorbell & -GuestMemory.PAGE_SIZE) + "-"
                        + Long.toHexString(doorbell | GuestMemory.PAGE_SIZE - 1));
    }

    private static boolean holds(ReservedRegion region, long address) {
        return Long.compareUnsigned(region.start(), address) <= 0 && Long.compareUnsigned(address, region.end()) <= 0;
    }

    private static ReservedRegion doorbell(ReservedRegions regions) {
        return regions.list().getFirst();
    }

    /**
     * Refuses regions that do not fit the IOMMU, on the line that says them or, where they are the default, on that of
     * what they do not fit.
     */
    static void check(VirtioIommuBuilder builder, ReservedRegions regions, ConfigSection device, ConfigSection iommu)
            throws CommandFailure {
        try {
            builder.check(regions);
        } catch (IllegalArgumentException unfit) {
            String message = String.valueOf(unfit.getMessage());
            List<String> blamed = message.startsWith("probeSize=") ? List.of(PROBE_SIZE, RESERVED)
                    : List.of(RESERVED, INPUT_RANGE);
            ConfigSection section = device.has(RESERVED) ? device : iommu;
            for (String key : device.has(RESERVED) ? List.of(RESERVED) : blamed) {
                if (section.has(key)) {
                    throw section.failure(key, message);
                }
            }
            throw section.failure(message);
        }
    }

    /** Entries of a queue of that section. */
    static int entries(ConfigSection section, String key, int otherwise) throws CommandFailure {
        int entries = (int) section.number(key, otherwise, 1, MOST_ENTRIES);
        if (Integer.bitCount(entries) != 1) {
            throw section.failure(key, "expected a power of two, found '" + entries + "'");
        }
        return entries;
    }

    private static void queues(ConfigSection section, VirtioIommuBuilder builder) throws CommandFailure {
        int requests = entries(section, REQUEST_QUEUE, 256);
        int events = entries(section, EVENT_QUEUE, 64);
        if (section.has(REQUEST_QUEUE)) {
            section.parsed(REQUEST_QUEUE, text -> builder.queueSizes(requests, events));
        }
        builder.queueSizes(requests, events);
    }

    private static long mappings(ConfigSection section) throws CommandFailure {
        long mappings = section.number(MAX_MAPPINGS, 1L << 22, 1, MOST_MAPPINGS);
        if (mappings < LEAST_MAPPINGS) {
            throw section.failure(MAX_MAPPINGS, "expected " + LEAST_MAPPINGS + " to " + MOST_MAPPINGS + ", found '"
                    + mappings + "': one request of a disk may need 256, and Linux stands still where it gets none");
        }
        return mappings;
    }

    private static long pageSizes(String text) {
        long mask = 0;
        for (String word : text.split(SEPARATOR, -1)) {
            Matcher size = match(SIZE, word, "page sizes such as 4K, 2M, 1G");
            long bytes = Long.parseLong(size.group(1)) << switch (size.group(2)) {
                case "K" -> 10;
                case "M" -> 20;
                default -> 30;
            };
            if (Long.bitCount(bytes) != 1) {
                throw new IllegalArgumentException("expected powers of two, found '" + word + "'");
            }
            mask |= bytes;
        }
        return mask;
    }

    private static VirtioIommuBuilder inputRange(VirtioIommuBuilder builder, String text) {
        Matcher range = match(HEX_RANGE, text, "two hexadecimal addresses such as 0-7fffffffff");
        return builder.inputRange(address(range.group(1)), address(range.group(2)));
    }

    private static VirtioIommuBuilder domainRange(VirtioIommuBuilder builder, String text) {
        Matcher range = match(RANGE, text, "two numbers such as 0-65535");
        long start = Long.parseLong(range.group(1));
        long end = Long.parseLong(range.group(2));
        if (start > MOST_DOMAINS || end > MOST_DOMAINS) {
            throw new IllegalArgumentException("expected 32-bit numbers, found '" + text + "'");
        }
        return builder.domainRange((int) start, (int) end);
    }

    private static VirtioIommuBuilder without(VirtioIommuBuilder builder, String text) {
        for (String word : text.split(SEPARATOR, -1)) {
            Integer bit = FEATURES.get(word);
            if (bit == null) {
                throw new IllegalArgumentException("unknown feature '" + word + "'"
                        + NearestName.hint(word, FEATURES.keySet().stream().sorted().toList()));
            }
            builder.without(bit);
        }
        return builder;
    }

    private static ReservedRegions regions(String text) {
        return text.equals("none") ? ReservedRegions.NONE : ReservedRegions.of(
                Arrays.stream(text.split(SEPARATOR, -1)).map(IommuReader::region).toArray(ReservedRegion[]::new));
    }

    private static ReservedRegion region(String word) {
        ReservedRegion named = DOORBELLS.get(word);
        if (named != null) {
            return named;
        }
        Matcher region = match(REGION, word,
                "none, msi:x86, msi:gicv2m, msi:its, or regions such as msi:fee00000-feefffff or reserved:0-fff");
        long start = address(region.group(2));
        long end = address(region.group(3));
        // Of a page that is reserved in part a driver cannot map the rest.
        if (((start | (end + 1)) & (GuestMemory.PAGE_SIZE - 1)) != 0) {
            throw new IllegalArgumentException("expected whole pages of " + GuestMemory.PAGE_SIZE
                    + " bytes such as reserved:0-fff, found '" + word + "'");
        }
        return new ReservedRegion(start, end,
                region.group(1).equals("msi") ? ReservedRegion.Kind.MSI : ReservedRegion.Kind.RESERVED);
    }

    private static Matcher match(Pattern pattern, String text, String expected) {
        Matcher matcher = pattern.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("expected " + expected + ", found '" + text + "'");
        }
        return matcher;
    }

    private static long address(String digits) {
        return Long.parseUnsignedLong(digits, HEXADECIMAL);
    }
}

// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.config;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.virtio4j.command.CommandFailure;
import org.virtio4j.command.NearestName;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.iommu.VirtioIommuBuilder;
import org.virtio4j.iommu.embedder.ReservedRegion;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.serving.watch.DoorbellNames;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.wire.iommu.IommuFeature;

/** Reads a table {@code [machine.iommu]}, except its address. */
final class IommuReader {

    private static final Map<String, Integer> FEATURES = Map.of("input-range", IommuFeature.INPUT_RANGE,
            "domain-range", IommuFeature.DOMAIN_RANGE, "map-unmap", IommuFeature.MAP_UNMAP,
            "probe", IommuFeature.PROBE, "mmio", IommuFeature.MMIO, "bypass-config", IommuFeature.BYPASS_CONFIG);
    private static final Pattern SIZE = Pattern.compile("(\\d{1,9})([KMG])");
    private static final Pattern HEX_RANGE = Pattern.compile("([0-9a-f]{1,16})-([0-9a-f]{1,16})");
    private static final Pattern RANGE = Pattern.compile("(\\d{1,10})-(\\d{1,10})");
    private static final Pattern REGION = Pattern.compile("(msi|reserved):" + HEX_RANGE.pattern());
    private static final int HEXADECIMAL = 16;

    /** For a disk's rings, the longest request of its default queue, and as many that are not unmapped yet. */
    private static final long LEAST_MAPPINGS = 512;
    private static final long MOST_DOMAINS = 0xffff_ffffL;
    private static final long NANOS_PER_MICRO = 1_000;

    /**
     * Eight of ten requests that follow an answer come within this time. While it lasts, the virtual CPU that notified
     * may have to wait for this thread.
     */
    private static final int LINGER_MICROS = 10;

    private final ConfigSection section;

    /** Its methods say which values are not possible. No device is made of it. */
    private final VirtioIommuBuilder trial = VirtioIommu.builder();

    private Consumer<VirtioIommuBuilder> settings = builder -> { };

    private IommuReader(ConfigSection section) {
        this.section = section;
    }

    /** The settings of an IOMMU: good for any number of builders. */
    static Consumer<VirtioIommuBuilder> read(ConfigSection section) throws CommandFailure {
        IommuReader reader = new IommuReader(section);
        reader.readNumbers();
        reader.readLimits();
        reader.readQueues();
        reader.readRanges();
        return reader.settings;
    }

    private void readNumbers() throws CommandFailure {
        int probeSize = (int) section.number(Keys.PROBE_SIZE, 512);
        boolean bypass = section.flag(Keys.BYPASS, true);
        boolean bypassAfterReset = section.flag(Keys.BYPASS_AFTER_RESET, false);
        Duration linger = Duration.ofNanos(NANOS_PER_MICRO * section.number(Keys.LINGER, LINGER_MICROS));
        set(builder -> builder.probeSize(probeSize).bootBypass(bypass).linger(linger)
                .bypassAfterReset(bypassAfterReset));
    }

    private void readLimits() throws CommandFailure {
        long mappings = mappings(Keys.MAX_MAPPINGS, 1L << 22);
        set(builder -> builder.maxMappings(mappings));
        if (section.has(Keys.MAX_MAPPINGS_PER_DOMAIN)) {
            long ofDomain = mappings(Keys.MAX_MAPPINGS_PER_DOMAIN, mappings);
            set(builder -> builder.maxMappingsPerDomain(ofDomain));
        }
        if (section.has(Keys.MAX_DOMAINS)) {
            int domains = (int) section.number(Keys.MAX_DOMAINS, 1);
            set(builder -> builder.maxDomains(domains));
        }
    }

    private void readQueues() throws CommandFailure {
        int requests = entries(section, Keys.REQUEST_QUEUE, 256);
        int events = entries(section, Keys.EVENT_QUEUE, 64);
        if (section.has(Keys.REQUEST_QUEUE)) {
            section.apply(Keys.REQUEST_QUEUE, () -> set(builder -> builder.queueSizes(requests, events)));
        } else {
            set(builder -> builder.queueSizes(requests, events));
        }
    }

    private void readRanges() throws CommandFailure {
        if (section.has(Keys.PAGE_SIZES)) {
            List<Long> sizes = section.parsedList(Keys.PAGE_SIZES, IommuReader::pageSize);
            if (sizes.isEmpty()) {
                throw section.failure(Keys.PAGE_SIZES, "expected one page size or more, found none");
            }
            long mask = sizes.stream().reduce(0L, (all, size) -> all | size);
            section.apply(Keys.PAGE_SIZES, () -> set(builder -> builder.pageSizeMask(mask)));
        }
        range(Keys.INPUT_RANGE, IommuReader::inputRange);
        range(Keys.DOMAIN_RANGE, IommuReader::domainRange);
        for (int bit : section.parsedList(Keys.WITHOUT, IommuReader::feature)) {
            section.apply(Keys.WITHOUT, () -> set(builder -> builder.without(bit)));
        }
    }

    /** What a range sets, if it is there. */
    private void range(ConfigKey key, Function<String, Consumer<VirtioIommuBuilder>> meaning) throws CommandFailure {
        if (section.has(key)) {
            Consumer<VirtioIommuBuilder> setting = section.parsed(key, meaning);
            section.apply(key, () -> set(setting));
        }
    }

    /** The trial says whether it is possible. */
    private void set(Consumer<VirtioIommuBuilder> setting) {
        setting.accept(trial);
        settings = settings.andThen(setting);
    }

    /** The key {@link Keys#RESERVED} of this or another table. */
    static ReservedRegions reserved(ConfigSection section, ReservedRegions otherwise) throws CommandFailure {
        if (!section.has(Keys.RESERVED)) {
            return otherwise;
        }
        ReservedRegion[] regions = section.parsedList(Keys.RESERVED, word -> region(section, word))
                .toArray(ReservedRegion[]::new);
        return regions.length == 0 ? ReservedRegions.NONE : ReservedRegions.of(regions);
    }

    /**
     * Refuses regions that do not fit the IOMMU. The message names the line of the regions or, where they are the
     * default, the line of the setting that they do not fit.
     */
    static void check(VirtioIommuBuilder builder, ReservedRegions regions, ConfigSection device, ConfigSection iommu)
            throws CommandFailure {
        try {
            builder.check(regions);
        } catch (IllegalArgumentException unfit) {
            String message = String.valueOf(unfit.getMessage());
            List<ConfigKey> blamed = message.startsWith("probeSize=") ? List.of(Keys.PROBE_SIZE, Keys.RESERVED)
                    : List.of(Keys.RESERVED, Keys.INPUT_RANGE);
            ConfigSection section = device.has(Keys.RESERVED) ? device : iommu;
            for (ConfigKey key : device.has(Keys.RESERVED) ? List.of(Keys.RESERVED) : blamed) {
                if (section.has(key)) {
                    throw section.failure(key, message);
                }
            }
            throw section.failure(message);
        }
    }

    /** Entries of a queue of that table. */
    static int entries(ConfigSection section, ConfigKey key, int otherwise) throws CommandFailure {
        int entries = (int) section.number(key, otherwise);
        if (Integer.bitCount(entries) != 1) {
            throw section.failure(key, "expected a power of two, found '" + entries + "'");
        }
        return entries;
    }

    private long mappings(ConfigKey key, long otherwise) throws CommandFailure {
        long mappings = section.number(key, otherwise);
        if (mappings < LEAST_MAPPINGS) {
            throw section.failure(key, "expected " + LEAST_MAPPINGS + " to " + key.most() + ", found '" + mappings
                    + "': one request of a disk may need 256, and Linux hangs if it gets none");
        }
        return mappings;
    }

    private static long pageSize(String word) {
        Matcher size = match(SIZE, word, "page sizes such as 4K, 2M, 1G");
        long bytes = Long.parseLong(size.group(1)) << switch (size.group(2)) {
            case "K" -> 10;
            case "M" -> 20;
            default -> 30;
        };
        if (Long.bitCount(bytes) != 1) {
            throw new IllegalArgumentException("expected powers of two, found '" + word + "'");
        }
        return bytes;
    }

    private static Consumer<VirtioIommuBuilder> inputRange(String text) {
        Matcher range = match(HEX_RANGE, text, "two hexadecimal addresses such as 0-7fffffffff");
        long start = address(range.group(1));
        long end = address(range.group(2));
        return builder -> builder.inputRange(start, end);
    }

    private static Consumer<VirtioIommuBuilder> domainRange(String text) {
        Matcher range = match(RANGE, text, "two numbers such as 0-65535");
        long start = Long.parseLong(range.group(1));
        long end = Long.parseLong(range.group(2));
        if (start > MOST_DOMAINS || end > MOST_DOMAINS) {
            throw new IllegalArgumentException("expected 32-bit numbers, found '" + text + "'");
        }
        return builder -> builder.domainRange((int) start, (int) end);
    }

    private static int feature(String word) {
        Integer bit = FEATURES.get(word);
        if (bit == null) {
            throw new IllegalArgumentException("unknown feature '" + word + "'"
                    + NearestName.hint(word, FEATURES.keySet().stream().sorted().toList()));
        }
        return bit;
    }

    /** That no region is reserved is a word in the former format, and an empty list in TOML. */
    private static ReservedRegion region(ConfigSection section, String word) {
        return DoorbellNames.region(word).orElseGet(() -> regionOfAddresses(word, section.isFormer() ? "none, " : ""));
    }

    private static ReservedRegion regionOfAddresses(String word, String none) {
        Matcher region = match(REGION, word,
                none + "msi:x86, msi:gicv2m, msi:its, or regions such as msi:fee00000-feefffff or reserved:0-fff");
        long start = address(region.group(2));
        long end = address(region.group(3));
        // A driver cannot map the rest of a page that is partly reserved.
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

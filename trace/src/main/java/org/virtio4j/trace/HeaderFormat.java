// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.trace;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The first line of a version 2 trace, from text and to text. */
final class HeaderFormat {
    /** How every line that names a version begins; no event of version 1 does. */
    static final String SIGNATURE = "virtio4j-trace";

    private static final long MAX_UNSIGNED_INT = 0xffff_ffffL;

    private final LineScanner scanner;
    private final String[] tokens;
    private int next = 2;

    private HeaderFormat(LineScanner scanner, String[] tokens) {
        this.scanner = scanner;
        this.tokens = tokens;
    }

    static TraceHeader parse(LineScanner scanner) throws TraceFormatException {
        String[] tokens = scanner.lineText().split(" ", -1);
        String version = tokens.length > 1 ? tokens[1] : "end of line";
        if (!tokens[0].equals(SIGNATURE) || !version.equals("2")) {
            throw scanner.failure("'" + SIGNATURE + " 2', as no other version is known",
                    LineScanner.shown(tokens[0].equals(SIGNATURE) ? version : tokens[0]));
        }
        return new HeaderFormat(scanner, tokens).header();
    }

    static String text(TraceHeader header) {
        StringBuilder text = new StringBuilder(SIGNATURE).append(" 2 iommus=").append(header.iommus().size());
        header.notes().forEach((key, value) -> text.append(' ').append(key).append('=').append(value));
        for (int i = 0; i < header.iommus().size(); i++) {
            text.append(" iommu=").append(i);
            append(text, header.iommus().get(i));
        }
        return text.append('\n').toString();
    }

    private static void append(StringBuilder text, TraceHeader.Iommu iommu) {
        text.append(" page_size_mask=").append(Long.toHexString(iommu.pageSizeMask()))
                .append(" input_range=").append(Long.toHexString(iommu.inputStart()))
                .append('-').append(Long.toHexString(iommu.inputEnd()))
                .append(" domain_range=").append(iommu.domainStart()).append('-').append(iommu.domainEnd())
                .append(" probe_size=").append(iommu.probeSize())
                .append(" bypass=").append(iommu.bypass() ? 1 : 0)
                .append(" features=").append(Long.toHexString(iommu.features()))
                .append(" accepted=").append(Long.toHexString(iommu.accepted()))
                .append(" queues=").append(iommu.requestQueueSize()).append(',').append(iommu.eventQueueSize());
        for (TraceHeader.Endpoint endpoint : iommu.endpoints()) {
            text.append(" endpoint=").append(Integer.toUnsignedString(endpoint.id()));
            append(text, endpoint.regions());
        }
        List<TraceHeader.Region> others = iommu.otherRegions();
        if (others != null) {
            text.append(" endpoint=*");
            append(text, others);
        }
    }

    private static void append(StringBuilder text, List<TraceHeader.Region> regions) {
        String separator = ":";
        for (TraceHeader.Region region : regions) {
            text.append(separator).append(region.kind().name().toLowerCase(Locale.ROOT)).append(':')
                    .append(Long.toHexString(region.start())).append('-').append(Long.toHexString(region.end()));
            separator = ",";
        }
    }

    private TraceHeader header() throws TraceFormatException {
        int count = (int) decimal(value("iommus"), TraceHeader.MAX_IOMMUS, "iommus=N, the number of IOMMUs");
        if (count == 0) {
            throw unexpected("iommus=N, the number of IOMMUs, at least 1");
        }
        SortedMap<String, String> notes = notes();
        List<TraceHeader.Iommu> iommus = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            if (!value("iommu").equals(Integer.toString(i))) {
                throw unexpected("iommu=" + i);
            }
            iommus.add(iommu());
        }
        if (next < tokens.length) {
            next++;
            throw unexpected("endpoint=… or the end of the line");
        }
        return new TraceHeader(iommus, notes);
    }

    private SortedMap<String, String> notes() throws TraceFormatException {
        SortedMap<String, String> notes = new TreeMap<>();
        while (next < tokens.length && tokens[next].startsWith("x-")) {
            String token = tokens[next++];
            int equals = token.indexOf('=');
            if (!token.matches("x-[a-z0-9_-]+=[!-~]+")
                    || notes.put(token.substring(0, equals), token.substring(equals + 1)) != null) {
                throw unexpected("a note x-KEY=VALUE, each key once");
            }
        }
        return notes;
    }

    private TraceHeader.Iommu iommu() throws TraceFormatException {
        long mask = hex(value("page_size_mask"), "page_size_mask=MASK, hexadecimal and not 0");
        if (mask == 0) {
            throw unexpected("page_size_mask=MASK, hexadecimal and not 0");
        }
        long[] input = hexRange(value("input_range"), "input_range=START-END, hexadecimal, in order");
        long[] domains = domainRange(value("domain_range"));
        long probeSize = decimal(value("probe_size"), MAX_UNSIGNED_INT, "probe_size=N, at most 4294967295");
        long bypass = decimal(value("bypass"), 1, "bypass=0 or bypass=1");
        long features = hex(value("features"), "features=BITS, hexadecimal");
        String subset = "accepted=BITS, hexadecimal, none that features does not have";
        long accepted = hex(value("accepted"), subset);
        if ((accepted & ~features) != 0) {
            throw unexpected(subset);
        }
        int[] queues = queues(value("queues"));
        List<TraceHeader.Endpoint> endpoints = endpoints();
        return new TraceHeader.Iommu(mask, input[0], input[1], domains[0], domains[1], probeSize, bypass == 1, features,
                accepted, queues[0], queues[1], endpoints, otherRegions());
    }

    private long[] domainRange(String value) throws TraceFormatException {
        String expected = "domain_range=START-END, decimal, at most 4294967295, in order";
        String[] ends = value.split("-", -1);
        if (ends.length != 2) {
            throw unexpected(expected);
        }
        long start = decimal(ends[0], MAX_UNSIGNED_INT, expected);
        long end = decimal(ends[1], MAX_UNSIGNED_INT, expected);
        if (start > end) {
            throw unexpected(expected);
        }
        return new long[] {start, end};
    }

    private int[] queues(String value) throws TraceFormatException {
        String expected = "queues=REQUESTS,EVENTS, powers of two up to 32768";
        String[] sizes = value.split(",", -1);
        if (sizes.length != 2) {
            throw unexpected(expected);
        }
        long requests = decimal(sizes[0], 32768, expected);
        long events = decimal(sizes[1], 32768, expected);
        if (!TraceHeader.Iommu.isQueueSize(requests) || !TraceHeader.Iommu.isQueueSize(events)) {
            throw unexpected(expected);
        }
        return new int[] {(int) requests, (int) events};
    }

    private List<TraceHeader.Endpoint> endpoints() throws TraceFormatException {
        List<TraceHeader.Endpoint> endpoints = new ArrayList<>();
        Set<Integer> ids = new HashSet<>();
        String expected = "endpoint=ID, ID:REGIONS, * or *:REGIONS, each ID once and * last";
        while (nextIsEndpoint() && !tokens[next].startsWith("endpoint=*")) {
            String[] parts = value("endpoint").split(":", 2);
            int id = (int) decimal(parts[0], MAX_UNSIGNED_INT, expected);
            if (!ids.add(id)) {
                throw unexpected(expected);
            }
            endpoints.add(new TraceHeader.Endpoint(id, parts.length == 1 ? List.of() : regions(parts[1])));
        }
        return endpoints;
    }

    private @Nullable List<TraceHeader.Region> otherRegions() throws TraceFormatException {
        if (!nextIsEndpoint()) {
            return null;
        }
        String value = value("endpoint");
        if (value.equals("*")) {
            return List.of();
        }
        if (!value.startsWith("*:")) {
            throw unexpected("endpoint=* or endpoint=*:REGIONS");
        }
        return regions(value.substring(2));
    }

    private boolean nextIsEndpoint() {
        return next < tokens.length && tokens[next].startsWith("endpoint=");
    }

    private List<TraceHeader.Region> regions(String value) throws TraceFormatException {
        String expected = "regions as msi:START-END or reserved:START-END, hexadecimal, in order, separated by commas";
        List<TraceHeader.Region> regions = new ArrayList<>();
        for (String text : value.split(",", -1)) {
            String[] parts = text.split(":", -1);
            if (parts.length != 2) {
                throw unexpected(expected);
            }
            TraceHeader.RegionKind kind = switch (parts[0]) {
                case "msi" -> TraceHeader.RegionKind.MSI;
                case "reserved" -> TraceHeader.RegionKind.RESERVED;
                default -> throw unexpected(expected);
            };
            long[] range = hexRange(parts[1], expected);
            regions.add(new TraceHeader.Region(kind, range[0], range[1]));
        }
        return regions;
    }

    private long[] hexRange(String value, String expected) throws TraceFormatException {
        String[] ends = value.split("-", -1);
        if (ends.length != 2) {
            throw unexpected(expected);
        }
        long start = hex(ends[0], expected);
        long end = hex(ends[1], expected);
        if (Long.compareUnsigned(start, end) > 0) {
            throw unexpected(expected);
        }
        return new long[] {start, end};
    }

    private String value(String key) throws TraceFormatException {
        if (next == tokens.length) {
            throw scanner.failure(key + "=…", "end of line");
        }
        String token = tokens[next++];
        if (!token.startsWith(key + "=")) {
            throw unexpected(key + "=…");
        }
        return token.substring(key.length() + 1);
    }

    private long decimal(String digits, long max, String expected) throws TraceFormatException {
        if (!digits.matches("[0-9]{1,10}") || Long.parseLong(digits) > max) {
            throw unexpected(expected);
        }
        return Long.parseLong(digits);
    }

    private long hex(String digits, String expected) throws TraceFormatException {
        if (!digits.matches("[0-9a-f]{1,16}")) {
            throw unexpected(expected);
        }
        return Long.parseUnsignedLong(digits, 16);
    }

    private TraceFormatException unexpected(String expected) {
        return scanner.failure(expected, LineScanner.shown(tokens[next - 1]));
    }
}

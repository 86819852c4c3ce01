// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.harness;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.virtio4j.harness.console.ConsoleLine;

/** All that a guest has said. If it says too much, only its last lines are kept from then on. */
public final class GuestFacts {

    private static final int MOST_FACTS = 10_000;
    private static final int MOST_FAULTS = 10_000;
    private static final int LAST_LINES = 20;
    private static final String TRACE_END = "---[ end trace";

    private final SortedMap<String, String> facts = new TreeMap<>();
    private final List<ConsoleLine.DmaFault> faults = new ArrayList<>();
    private final Deque<String> lastLines = new ArrayDeque<>();
    private @Nullable String failure;
    private @Nullable String crash;
    private boolean crashTold;
    private boolean done;

    GuestFacts() {
    }

    /** Adds a line. */
    void add(ConsoleLine line) {
        switch (line) {
            case ConsoleLine.Fact fact when facts.size() < MOST_FACTS -> facts.put(fact.name(), fact.value());
            case ConsoleLine.DmaFault fault when faults.size() < MOST_FAULTS -> faults.add(fault);
            case ConsoleLine.Failed failed -> failure = failed.text();
            case ConsoleLine.Done ignored -> done = true;
            case ConsoleLine.Crash trace -> crashed(trace.text());
            case ConsoleLine.Other other -> addLast(other.text());
            default -> { }
        }
    }

    /**
     * What the guest found under a name.
     *
     * @param name a path, such as {@code group/0/type}
     * @return the value, or the empty string if the guest did not say
     */
    public String fact(String name) {
        return facts.getOrDefault(name, "");
    }

    /**
     * All that the guest found.
     *
     * @return values by name
     */
    public SortedMap<String, String> all() {
        return Collections.unmodifiableSortedMap(facts);
    }

    /** Those reported by the IOMMU's event queue, in order. */
    List<ConsoleLine.DmaFault> faults() {
        return Collections.unmodifiableList(faults);
    }

    /** Where and how Linux crashed stands between its first words about it and the end of a trace. */
    private void crashed(String text) {
        addLast(text);
        crashTold |= crash != null && text.startsWith(TRACE_END);
        if (crash == null && !text.startsWith(TRACE_END)) {
            crash = text;
        }
    }

    /** Whether Linux has crashed and has told all about it. What it does from then on is of no use. */
    boolean hasCrashed() {
        return crashTold;
    }

    /** The first words of Linux about its crash. */
    Optional<String> crash() {
        return Optional.ofNullable(crash);
    }

    /**
     * Why the guest's work failed, in the guest's words.
     *
     * @return nothing if the guest did not say that it failed
     */
    public Optional<String> failure() {
        return Optional.ofNullable(failure);
    }

    /**
     * Whether the guest said that its work is done.
     *
     * @return whether it did
     */
    public boolean done() {
        return done && failure == null;
    }

    /**
     * The last lines of the console that are nothing else, to find out what went wrong.
     *
     * @return some lines, in order
     */
    public List<String> lastLines() {
        return List.copyOf(lastLines);
    }

    private void addLast(String line) {
        if (!line.isBlank()) {
            lastLines.addLast(line);
        }
        if (lastLines.size() > LAST_LINES) {
            lastLines.removeFirst();
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.virtio4j.iommu.embedder.MappingListener;

/**
 * A mirror that remembers what it holds, and fails at chosen calls. What it holds is by page, so that it does not
 * matter in which pieces it was told.
 */
final class FaultyMirror implements MappingListener {

    private static final long PAGE = 4096;

    /** How a call fails. */
    enum Fault {
        NO_ROOM,
        FAILED,
        UNSUPPORTED,
        THROWN
    }

    /** Thrown by a call that fails in this way. */
    static final class Thrown extends RuntimeException {

        private static final long serialVersionUID = 1;
    }

    /** What one call has named. */
    private record Piece(int domain, long start, long end) {
    }

    final List<String> calls = new ArrayList<>();

    /** For each domain, what each page means. */
    final Map<Integer, Map<Long, String>> pages = new TreeMap<>();

    /** What each endpoint was attached to last; for a moment it sees two domains while it moves. */
    final Map<Integer, Integer> attached = new TreeMap<>();
    private final Map<Integer, List<Integer>> domains = new HashMap<>();
    boolean expelled;
    boolean splits;
    boolean oneDomain;
    boolean throwsWhenExpelled;

    long pageSizes = PAGE;

    /** A page that is refused whenever it is mapped, and how. */
    long refusedPage;
    @Nullable Fault refusal;

    /** Runs at the beginning of each call that can fail. */
    Runnable before = () -> { };
    private final Map<Integer, Fault> faults = new HashMap<>();
    private final Set<Piece> pieces = new HashSet<>();
    private int count;
    private boolean open;

    /** The call of that number from here on, counted from 1, fails; other faults are forgotten. */
    void failAt(int call, Fault fault) {
        faults.clear();
        count = 0;
        alsoFailAt(call, fault);
    }

    void alsoFailAt(int call, Fault fault) {
        faults.put(call, fault);
    }

    /** Whether all faults have happened. */
    boolean hasFailed() {
        return faults.isEmpty();
    }

    /** How many pages of a domain it holds. */
    int size(int domain) {
        return pages.getOrDefault(domain, Map.of()).size();
    }

    void failNoMore() {
        faults.clear();
    }

    /** Forgets everything, for another machine. */
    void reset() {
        calls.clear();
        pages.clear();
        attached.clear();
        domains.clear();
        pieces.clear();
        faults.clear();
        open = false;
        expelled = false;
    }

    @Override
    public long pageSizeMask() {
        return pageSizes;
    }

    @Override
    public boolean canSplit() {
        return splits;
    }

    @Override
    public boolean holdsOneDomain() {
        return oneDomain;
    }

    @Override
    public Answer attach(int endpoint, int domain, boolean bypass) {
        Answer answer = call("attach " + endpoint + " " + domain + (bypass ? " bypass" : ""));
        if (answer == Answer.DONE) {
            require(!oneDomain || attached.values().stream().allMatch(each -> each == domain), "more than one domain");
            domains.computeIfAbsent(endpoint, ignored -> new ArrayList<>()).add(domain);
            attached.put(endpoint, domain);
        }
        return answer;
    }

    @Override
    public void detached(int endpoint, int domain) {
        require(!expelled, "called after it was expelled");
        calls.add("detached " + endpoint + " " + domain);
        List<Integer> all = domains.getOrDefault(endpoint, new ArrayList<>());
        require(all.removeIf(each -> each == domain), "detached from what it was not attached to");
        if (all.isEmpty()) {
            attached.remove(endpoint);
        } else {
            attached.put(endpoint, all.getLast());
        }
    }

    @Override
    public void begin(int domain) {
        require(!expelled && !open, "begin within a batch");
        calls.add("begin " + domain);
        count++;
        if (faults.get(count) == Fault.THROWN) {
            faults.remove(count);
            throw new Thrown();
        }
        if (faults.containsKey(count)) {
            // It can fail in no other way; the next call does.
            faults.put(count + 1, faults.remove(count));
        }
        open = true;
    }

    @Override
    public Answer map(int domain, long virtStart, long virtEnd, long physStart, int flags) {
        require(open, "map outside a batch");
        Answer answer = call("map " + domain + " " + hex(virtStart) + " " + hex(virtEnd) + " " + hex(physStart) + " "
                + flags);
        if (refusal != null && inside(refusedPage, refusedPage, virtStart, virtEnd)) {
            answer = Answer.valueOf(refusal.name());
        }
        if (answer == Answer.DONE) {
            pieces.add(new Piece(domain, virtStart, virtEnd));
            Map<Long, String> held = pages.computeIfAbsent(domain, ignored -> new TreeMap<>());
            for (long offset = 0; Long.compareUnsigned(offset, virtEnd - virtStart) < 0; offset += PAGE) {
                String former = held.put(virtStart + offset, hex(physStart + offset) + " " + flags);
                require(former == null, "mapped twice at " + hex(virtStart + offset));
            }
        } else {
            open = false;
        }
        return answer;
    }

    @Override
    public Answer commit(int domain) {
        require(open, "commit outside a batch");
        open = false;
        return call("commit " + domain);
    }

    @Override
    public Answer unmap(int domain, long virtStart, long virtEnd) {
        require(!open, "unmap within a batch");
        Answer answer = call("unmap " + domain + " " + hex(virtStart) + " " + hex(virtEnd));
        Map<Long, String> held = pages.get(domain);
        if (answer == Answer.DONE && held != null) {
            held.keySet().removeIf(at -> inside(at, at + PAGE - 1, virtStart, virtEnd));
            pieces.removeIf(piece -> isInside(piece, domain, virtStart, virtEnd));
            if (held.isEmpty()) {
                pages.remove(domain);
            }
        }
        return answer;
    }

    @Override
    public void expelled() {
        require(!expelled, "expelled twice");
        calls.add("expelled");
        expelled = true;
        if (throwsWhenExpelled) {
            throw new Thrown();
        }
    }

    /** Whether a piece lies inside; fails if it lies partly inside and the mirror cannot split. */
    private boolean isInside(Piece piece, int domain, long virtStart, long virtEnd) {
        boolean meets = piece.domain() == domain && Long.compareUnsigned(piece.start(), virtEnd) <= 0
                && Long.compareUnsigned(virtStart, piece.end()) <= 0;
        boolean inside = meets && inside(piece.start(), piece.end(), virtStart, virtEnd);
        require(splits || inside == meets, "would split " + piece);
        return inside;
    }

    private Answer call(String what) {
        require(!expelled, "called after it was expelled: " + what);
        before.run();
        calls.add(what);
        count++;
        Fault fault = faults.remove(count);
        if (fault == Fault.THROWN) {
            open = false;
            throw new Thrown();
        }
        return fault == null ? Answer.DONE : Answer.valueOf(fault.name());
    }

    private static boolean inside(long start, long end, long virtStart, long virtEnd) {
        return Long.compareUnsigned(start, virtStart) >= 0 && Long.compareUnsigned(end, virtEnd) <= 0;
    }

    private static String hex(long address) {
        return Long.toHexString(address);
    }

    private static void require(boolean holds, String broken) {
        if (!holds) {
            throw new AssertionError(broken);
        }
    }
}

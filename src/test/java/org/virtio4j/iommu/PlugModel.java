// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What an IOMMU with groups, claims and small limits does, put simply: which id is there and where it is attached, and
 * which pages each domain maps. Ids of one group are 16 apart.
 */
final class PlugModel {

    static final int MOST_DOMAINS = 2;
    static final int MOST_OF_DOMAIN = 3;
    static final int MOST_MAPPINGS = 4;

    /** The page that ids above this must not have mapped. */
    static final int HOLE = 5;
    static final int FIRST_WITH_HOLE = 0x20;

    /** Where an id is that is attached to nothing. */
    static final int NOWHERE = 0;

    /** The domain of each id that is there. */
    final Map<Integer, Integer> places = new TreeMap<>();
    final Map<Integer, Set<Integer>> pages = new TreeMap<>();
    final Set<Integer> bypassDomains = new HashSet<>();
    final Set<Integer> claimed = new TreeSet<>();
    boolean bypass;

    static int groupOf(int id) {
        return id % 16;
    }

    List<Integer> members(int id) {
        return places.keySet().stream().filter(other -> groupOf(other) == groupOf(id)).toList();
    }

    /** Also for the others of its group that are there. */
    boolean isClaimed(int id) {
        return claimed.contains(groupOf(id));
    }

    void unplug(int id) {
        move(List.of(id), NOWHERE);
        places.remove(id);
        if (members(id).isEmpty()) {
            claimed.remove(groupOf(id));
        }
    }

    boolean claim(int id) {
        boolean free = !isClaimed(id) && members(id).stream().allMatch(other -> place(other) == NOWHERE);
        if (free) {
            claimed.add(groupOf(id));
        }
        return free;
    }

    void reset() {
        move(new ArrayList<>(places.keySet()), NOWHERE);
    }

    int attach(int domain, int id, boolean asBypass) {
        if (!places.containsKey(id)) {
            return Spec.NOENT;
        }
        if (isClaimed(id)) {
            return Spec.UNSUPP;
        }
        Set<Integer> mapped = pages.get(domain);
        if (mapped == null) {
            List<Integer> movers = members(id);
            long staying = pages.keySet().stream().filter(other -> places.entrySet().stream()
                    .anyMatch(place -> place.getValue().equals(other) && !movers.contains(place.getKey()))).count();
            if (staying >= MOST_DOMAINS) {
                return Spec.NOMEM;
            }
            begin(domain, asBypass);
        } else if (bypassDomains.contains(domain) != asBypass) {
            return Spec.INVAL;
        } else if (mapped.contains(HOLE) && members(id).stream()
                .anyMatch(other -> other > FIRST_WITH_HOLE && place(other) != domain)) {
            return Spec.UNSUPP;
        }
        move(members(id), domain);
        return Spec.OK;
    }

    private void begin(int domain, boolean asBypass) {
        pages.put(domain, new TreeSet<>());
        if (asBypass) {
            bypassDomains.add(domain);
        }
    }

    int detach(int domain, int id) {
        if (!places.containsKey(id)) {
            return Spec.NOENT;
        }
        int place = place(id);
        if (place == NOWHERE) {
            return Spec.OK;
        }
        if (place != domain) {
            return Spec.INVAL;
        }
        move(List.of(id), NOWHERE);
        return Spec.OK;
    }

    int map(int domain, int page) {
        int refusal = refusal(domain);
        if (refusal != Spec.OK) {
            return refusal;
        }
        Set<Integer> mapped = Objects.requireNonNull(pages.get(domain));
        boolean reserved = page == HOLE && places.entrySet().stream()
                .anyMatch(place -> place.getKey() > FIRST_WITH_HOLE && place.getValue() == domain);
        if (reserved || mapped.contains(page)) {
            return Spec.INVAL;
        }
        if (mapped.size() == MOST_OF_DOMAIN || mappings() == MOST_MAPPINGS) {
            return Spec.NOMEM;
        }
        mapped.add(page);
        return Spec.OK;
    }

    int unmap(int domain, int first, int last) {
        int refusal = refusal(domain);
        if (refusal == Spec.OK) {
            Objects.requireNonNull(pages.get(domain)).removeIf(page -> page >= first && page <= last);
        }
        return refusal;
    }

    private int refusal(int domain) {
        if (!pages.containsKey(domain)) {
            return Spec.NOENT;
        }
        return bypassDomains.contains(domain) ? Spec.INVAL : Spec.OK;
    }

    /** Of an id that is plugged. */
    private int place(int id) {
        return Objects.requireNonNull(places.get(id));
    }

    int mappings() {
        return pages.values().stream().mapToInt(Set::size).sum();
    }

    /** The pages that an id sees; null if it sees all of memory as it is. */
    @Nullable Set<Integer> visible(int id) {
        int place = place(id);
        if (place == NOWHERE) {
            return bypass && !isClaimed(id) ? null : Set.of();
        }
        return bypassDomains.contains(place) ? null : pages.get(place);
    }

    private void move(List<Integer> ids, int domain) {
        ids.forEach(id -> places.put(id, domain));
        pages.keySet().removeIf(other -> other != domain && !places.containsValue(other));
        bypassDomains.retainAll(pages.keySet());
    }
}

"""What a plan has to keep, costs and uses: work, links, limits, purchases, record."""

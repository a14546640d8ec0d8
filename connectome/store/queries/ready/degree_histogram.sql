-- How many neurons have so many partners, on each side
-- over edges

, degrees AS (
    SELECT 'input' AS direction, post_id, count(*) AS partners FROM edges GROUP BY post_id
    UNION ALL
    SELECT 'output', pre_id, count(*) FROM edges GROUP BY pre_id
)
SELECT direction, partners, count(*) AS neurons FROM degrees GROUP BY direction, partners ORDER BY direction, partners

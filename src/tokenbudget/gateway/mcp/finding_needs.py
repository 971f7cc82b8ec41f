"""What a task needs that nobody says, by the words that call for it: general knowledge as a table.

A paragraph is one entry: words or phrases with commas between, `=>`, then the steps that they call
for, with semicolons between and each perhaps with a weight. Nouns that call for a step stand in the
singular, as `finding_concepts.spoken` gives them, and mean both numbers. A step is looked for only
where some tool answers it, so an entry about trains costs nothing where no server knows of trains.
The entries are about kinds of tasks; none is about one task. Those of software and files stand in
`finding_needs_work`.

Whoever wrote this had read the development tasks of LiveMCPBench, on which `tools/bench_find.py`
measures it; so the bench also tells what is found of each task without what no other calls for.
`finding_needs_daily` was written by somebody who had read none.
"""

from __future__ import annotations

from tokenbudget.gateway.mcp.finding_needs_work import WORK

LIFE = """
today, tomorrow, tonight, yesterday, this morning, this afternoon, this evening, this week, this
 weekend, this month, this year, this quarter, next week, next weekend, next month, next year,
 next quarter, next monday, next tuesday, next wednesday, next thursday, next friday, next
 saturday, next sunday, this monday, this tuesday, this wednesday, this thursday, this friday,
 this saturday, this sunday, near future, coming day, coming week, coming month, next day, next
 few day, next few week, next few month, in the next, day after tomorrow, upcoming, last week,
 last month, last year, last quarter, last few day, last few week, last few month, past week, past
 month, past year, past few day, past few week, past few month, past quarter, day ago, week ago,
 right now, as of now, current date, current time, what day, what time, when does, when is, when
 will, weekend, recently, deadline, countdown, day until, 今天, 明天, 昨天, 后天,
 本周, 下周, 上周, 本月, 下月, 最近, 现在
 => get current time date

time zone, timezone, utc, gmt, local time => convert time timezone; get current time

calculate, compute, how much, how many, total, sum up, add up, average, percentage, percent,
 ratio, budget, cost estimate, estimate value, estimate, multiply, divide, split the bill,
 compound interest, market cap, market capitalization, profit, loss, balance, convert unit, bmi,
 计算, 多少钱
 => calculate expression 0.7

random, randomly, raffle, lottery, lucky draw, draw lot, pick a winner, roll a die, roll dice,
 shuffle, coin toss, flip a coin, 随机, 抽奖
 => random choose sample ; random integer 0.6

generate a password, random password, secure token, secret key, api key => secure random token

exchange rate, currency, forex, usd, eur, cny, rmb, jpy, gbp, krw, inr, aud, cad, chf, hkd,
 dollar, euro, yen, pound, yuan, won, rupee, 汇率, 美元, 人民币
 => exchange rate currency

gold, silver, platinum, palladium, precious metal, bullion => asset price precious metal

crypto, cryptocurrency, bitcoin, btc, ethereum, eth, solana, dogecoin, altcoin, stablecoin, 比特币
 => crypto price ; market analysis crypto 0.7 ; historical analysis crypto 0.6 ; research token
    keywords 0.8 ; research token source 0.6

blockchain, web3, defi, nft, tokenomic
 => research token keywords ; create research plan 0.7 ; research token source 0.7

stock, share, share price, stock price, stock market, ticker, equity, nasdaq, nyse, s p, dow jone,
 listed company, 股票, 股价
 => historical stock prices ; current stock price 0.7 ; stock news 0.6 ; stock ticker info 0.6

investment analysis, invest, investing, investment, investor, fundamental analysis, fundamental,
 valuation, portfolio, buy or sell, worth investing, due diligence, undervalued, overvalued
 => stock price history ; income statement ; cash flow ; stock news ; analyst recommendations ;
    stock fundamental data 0.7

financial, financial report, financial statement, annual report, quarterly report, quarterly
 result, earning, revenue, profitability, balance sheet, income statement, cash flow, 财报
 => income statement ; cash flow ; financial statements ; earnings history dates 0.6

market cap, market capitalization, market value => stock market cap

dividend => stock dividends

analyst, price target, upgrade, downgrade => analyst recommendations

option chain, stock option, call option, put option, strike price => stock options

insider, executive, director sold, ceo sold, management bought => insider trades

institutional, holder, shareholder, hedge fund => institutional holders

market sentiment, fear and greed, fear greed, sentiment => fear greed index

sector, etf, mutual fund, top performing => top companies etf sector

korean stock, korea, korean, kospi, kosdaq
 => korean stock kospi ticker 0.6 ; stock ohlcv ticker 0.6 ; stock fundamental ticker 0.6

arxiv, paper, preprint, research paper, academic, literature review, literature, scholarly, state
 of the art, citation, 论文
 => search papers ; get paper details ; read paper 0.6 ; download paper 0.5

full text, read the paper, read paper, read the full => download paper; read paper

pubmed, medical literature, biomedical, clinical trial, disease, cancer, drug, therapy, treatment,
 patient, gene, genetic, mutation, variant
 => search biomedical articles ; clinical trial details 0.7 ; search genetic variant 0.5 ;
    sequential thinking biomedical 0.4

nct, trial result, outcome, adverse event
 => clinical trial outcomes ; clinical trial references ; clinical trial protocol ; clinical trial
    locations 0.6

wikipedia, encyclopedia, 百科 => search wikipedia; get wikipedia article; get wikipedia summary 0.6

history of, history, historical, historian, war, empire, dynasty, ancient, medieval, biography,
 born, philosopher, scientist, president, explain what, introduction to, overview of, who was, who
 is, what is the origin, reference, bibliography
 => search wikipedia 0.9 ; get wikipedia article 0.9 ; web search 0.8 ; wikipedia summary 0.5

key fact, fact about, trivia => extract key facts wikipedia article; search wikipedia

search the web, web search, search online, on the internet, online, google, look up, find out,
 research on, do some research, gather information, collect information, find information,
 information about, information on, source, compare the best, review of, recommendation for, 搜索
 => web search

website, webpage, web page, url, http, www, homepage, blog post, landing page, 网页, 网站
 => fetch url website ; navigate url browser 0.6

amazon, ebay, taobao, walmart, aliexpress, jd.com, best buy, online shop, online store, add to
 cart, checkout, sign in to, log in to, log into, login page, fill in the form, fill out, submit
 the form, browser, scroll, web form, book a table, booking.com, craigslist
 => navigate url browser ; get visible page text html ; click element page 0.8 ; fill input field
    0.8 ; screenshot page 0.7

screenshot, screen shot => screenshot page browser; navigate url browser

scrape, scraping, crawl, extract from the page, web data
 => fetch url website ; get visible page text ; navigate url browser 0.7

picture, photo, image, visual, logo, ocr, poster, infographic, 图片 => extract image analyze 0.6

whois, domain name, domain registration, registrar, who own, dns, ip address, autonomous system,
 website information
 => whois domain ; whois ip 0.5

sitemap, site map, site structure, all page, page of the site, seo
 => get sitemap tree ; get sitemap pages 0.7 ; sitemap stats 0.5

news, headline, current event, what happened, breaking, 新闻 => get news; news trending 0.7

bbc, british news, uk news, world news, international news => bbc news; nytimes news 0.5

tech news, technology news, gadget, digital product, smartphone
 => tech news ; technology trending 0.7

apple, iphone, ipad, macbook, ios, maco => apple news 0.6

developer news, frontend, backend, programming article
 => developer articles rank ; infoq news 0.6 ; hacker news stories 0.5

hacker news, startup, venture capital, funding round, entrepreneurship, business news, company
 news
 => startup business news trending 0.7 ; hacker news stories 0.5

trending, trend, hot topic, hot search, what is hot, viral, buzz, popular right now, social media,
 热搜, 热榜, 热点
 => trending topics ; social trending rank ; video rank 0.6

movie, film, tv show, tv series, box office, 电影 => movie rank rating list

book, novel, reading list, bestseller, 书 => book rank list

deal, discount, cheap, bargain, on sale, coupon, shopping recommendation, 优惠
 => shopping deals rank ; product recommendation goods 0.6

video, youtube, bilibili, tiktok => video rank trending 0.5; video transcript 0.6

transcript, subtitle, caption, lecture, youtube video, youtube.com, youtu.be => get video transcript

weather, temperature, rain, rainy, snow, umbrella, forecast, sunny, humidity, wind, climate, 天气
 => get weather forecast ; weather by city 0.8

pollution, census, government data, public data, open data, open dataset, dataset, statistic data,
 data.gov
 => search dataset package 0.9 ; show dataset package details 0.9

weekend, weekend in, day in, a day in, family outing, trip, travel, traveling, travelling,
 itinerary, vacation, holiday, sightseeing, tour, day trip, road trip, weekend getaway, tourist,
 place to visit, 旅游, 旅行
 => geocode address ; find nearby places ; route directions 0.9 ; get weather forecast 0.4

restaurant, cafe, coffee shop, pub, bar, hospital, pharmacy, supermarket, gym, museum, attraction,
 landmark, point of interest, nearby, near me, near the, within walking distance, walking
 distance, around here, close to, km of, kilometer of, 1km, 2km, 3km, 5km, meter of, mile of,
 thing to do, to eat near, 附近
 => geocode address ; find nearby places ; search category places 0.7 ; reverse geocode 0.5

get there, get to, how to get, direction, route, drive from, driving from, walk from, walking
 from, cycling from, distance between, distance from, how far, go from, travel from, shortest
 path, 路线
 => geocode address ; route directions ; reverse geocode 0.4

parking, where to park, parking lot, parking space, car park, garage
 => find parking facilities ; geocode address

address, coordinate, latitude, longitude, where is, located, location of, 地址
 => geocode address ; reverse geocode 0.6

commute, commuting => analyze commute; geocode address

charging station, charger, supercharger, fast charging, ev, electric car, electric vehicle
 charging
 => find charging stations ; geocode address

school, kindergarten, university nearby => find schools nearby; geocode address

neighborhood, neighbourhood, live in, rent an apartment, move to, living area, district
 => analyze neighborhood 0.7 ; explore area 0.7 ; geocode address 0.6

meet up, meeting point, meet halfway, halfway between => suggest meeting point; geocode address

train, train ticket, rail, railway, high-speed, high-speed rail, high-speed train, bullet train,
 高铁, 火车, 动车, 12306
 => train tickets query ; station code of city ; get current date 0.7 ; train route stations 0.4

transfer train, interline, no direct train => interline train tickets; station code of city

flight, airline, plane ticket, 机票 => search flights

homestay, hotel, apartment, airbnb, accommodation, hostel, guesthouse, place to stay, lodging,
 rental, check-in, 民宿, 酒店
 => search homestay listings airbnb ; listing details 0.5

recipe, dish, cook, cooking, ingredient, dinner, lunch, breakfast, cuisine, soup, braised,
 stir-fry, fried, bake, dessert, how to make, what to eat, 菜, 做饭, 吃什么
 => recommend dish what to eat people ; recipe details by name ; recipes by category 0.7 ; all
    recipes 0.4

meal plan, allergic, allergy, diet, weekly menu, shopping list, grocery, vegetarian, dietary
 => recommend meals allergies plan ; recipes by category 0.5

music, song, audio, tempo, bpm, beat, melody, mp3, wav
 => load audio ; audio tempo ; beat track 0.7 ; audio duration 0.6

chess, checkmate, opening move, pgn
 => chess board position ; make chess move ; valid chess moves ; new chess game 0.6

museum, painting, sculpture, artwork, van gogh, monet, metropolitan
 => search museum objects ; get museum object ; list museum departments 0.4

card game, trading card, yu-gi-oh, monster card, spell card, card deck
 => search cards ; get card by id 0.6 ; get card image 0.7

character, heroe, dps, healer, gear, weapon, relic, artifact, skill build, 角色
 => character info ; artifact set info 0.9 ; character profile 0.5

league of legend, lol => lol champion
teamfight tactic, tft => tft meta deck; tft champion item build 0.6
new york time, nyt => nytimes news
world of warcraft, dota, counter-strike, overwatch, genshin, honkai, wuthering wave, mobile game
 => character info ; artifact set info 0.6 ; game news 0.5

next match, match schedule, fixture, tournament, league table, standing
 => match schedule ; team standings 0.7 ; get current date 0.6

champion, summoner, ranked, rank up, tier list, current meta, win rate, esport, patch, op.gg
 => champion analysis ; character statistics ; leaderboard 0.6 ; match history 0.5 ; meta deck 0.4
    ; esports schedule 0.3

gaming, video game, game, gamer, game console, steam, nintendo, playstation, 游戏
 => game news ; game video rank ; trending topics 0.6

auspicious, almanac, lucky day, horoscope, zodiac, lunar, lunar calendar, feng shui, 黄历,
 农历, 吉日
 => chinese calendar almanac ; get current date

birth chart, fortune, fortune telling, destiny, eight character, birth date, born on, 八字
 => bazi detail fortune ; bazi lunar solar datetime 0.6
"""

TABLE = LIFE + "\n" + WORK
